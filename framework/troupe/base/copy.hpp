// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace troupe {

/// Pieces from this size on are counted by `copied_bytes`: beside their copy
/// the count is nothing, and small messages pay for none.
inline constexpr std::size_t smallest_counted = 4096;

/// What `copied_bytes` returns.
// A count: nothing is published through it, so all its accesses are relaxed.
inline constinit std::atomic<std::uint64_t> copied_total{0};

/// Bytes that this process has copied so far to send values and to receive
/// them, in pieces of 4 KiB and more: shows where nothing is copied.
[[nodiscard]] inline std::uint64_t copied_bytes() noexcept {
  return copied_total.load(std::memory_order_relaxed);
}

/// Counts a copy that is made in another way.
inline void count_copy(std::size_t size) noexcept {
  if (size >= smallest_counted)
    copied_total.fetch_add(size, std::memory_order_relaxed);
}

/// `std::memcpy`, counted. `from` may be null if there is nothing to copy.
inline void copy_bytes(void* to, const void* from, std::size_t size) noexcept {
  if (size == 0)
    return;
  std::memcpy(to, from, size);
  count_copy(size);
}

} // namespace troupe
