// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <atomic>

namespace {

// `bad_without` is relaxed: of another class.
struct other {};

// What `fine_named` and `fine_array` hold is relaxed: a count.
struct planted {
  std::atomic<int> bad_without{0};
  // atomic
  std::atomic<int> bad_empty{0};

  std::atomic<int> fine_named{0};
  std::array<std::atomic<int>, 2> fine_array;

  std::atomic<int> fine_behind{0}; // relaxed: a count.
  // release in `set`, acquire in `get`.
  std::atomic<int> fine_above{0};
  alignas(64) std::atomic<int> bad_below{0};

  std::atomic_flag bad_flag[2];
  // `fine_above` is relaxed, too.
  int between = 0;

  alignas(64) std::array<std::atomic<int>, 2> bad_array{};
};

using bad_alias = std::atomic<int>;

void access(int& place) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::atomic_ref{place}.store(1, std::memory_order_relaxed);
  // Pairs with the fence above.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace
