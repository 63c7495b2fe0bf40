// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/state/attempt.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::held {

/// The calling thread's number in its process, from 1.
[[nodiscard]] inline std::uint64_t this_thread_number() noexcept {
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  static std::atomic<std::uint64_t> last{0};
  thread_local const std::uint64_t mine = ++last;
  return mine;
}

/// A lock in a state: what a `held::mutex` is a handle of.
template <bool Recursive>
class lock_object {
public:
  attempt<void> acquire(const call_context& by, std::uint64_t thread) {
    if (depth_ == 0) {
      client_ = by.client;
      thread_ = thread;
    } else if (by.client != client_ || thread != thread_) {
      return not_yet;
    } else if (!Recursive) {
      throw would_deadlock("lock a mutex in a state",
                           "the calling thread holds it",
                           "unlock it before, or use a recursive_mutex");
    }
    ++depth_;
    return {};
  }

  void release(const call_context& by, std::uint64_t thread) {
    if (depth_ == 0 || client_ != by.client || thread_ != thread)
      throw not_owner("unlock a mutex in a state",
                      depth_ == 0 ? "it is free" : "another thread holds it");
    --depth_;
  }

  [[nodiscard]] bool is_locked() const noexcept {
    return depth_ != 0;
  }

  void client_gone(client_id client) noexcept {
    if (depth_ != 0 && client_ == client)
      depth_ = 0;
  }

private:
  client_id client_ = 0;
  std::uint64_t thread_ = 0;
  std::uint64_t depth_ = 0;
};

} // namespace troupe::held
