// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/copy_into_ring.hpp>

#include <troupe/os/cycles.hpp>
#include <troupe/os/stream_copy.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace troupe::mailbox {

namespace {

/// Chooses for one thread how it copies into rings.
///
/// Where writer and reader share a cache, ordinary stores are best for both.
/// Where they do not, taking the lines of 64 KiB from the reader takes 15 to
/// 28 µs, and storing them past the caches 2. Which of it holds changes
/// whenever a thread, or a virtual processor, moves; so both are timed, the
/// worse one rarely, but soon again when the better one has become slow: the
/// first lap of a ring, whose pages are new, says little.
class copy_choice {
public:
  /// At least so many copies lie between two by the worse way.
  explicit constexpr copy_choice(std::uint32_t shortest) noexcept
    : shortest_interval_(shortest), interval_(shortest) {
  }

  /// `cached` copies through the caches.
  template <class Cached>
  void copy(std::byte* to, const std::byte* from, std::size_t size,
            Cached cached) noexcept {
    // What is stored past the caches the reader gets from memory.
    const auto better = cached_ <= streamed_ + streamed_ / 2;
    const auto look = ++since_look_ >= interval_;
    const auto through = better != look;
    const auto start = os::cycles();
    if (through)
      cached(to, from, size);
    else
      os::stream_copy(to, from, size);
    const auto each = (os::cycles() - start) * 1024 / size;
    auto& known = through ? cached_ : streamed_;
    if (look) {
      since_look_ = 0;
      interval_ = std::min(2 * interval_, longest_interval);
    } else if (each > known + known / 2) {
      interval_ = shortest_interval_;
    }
    known = known == 0 ? each : (3 * known + std::min(each, 8 * known)) / 4;
  }

private:
  static constexpr std::uint32_t longest_interval = 256;

  /// Cycles for each KiB, about.
  std::uint64_t cached_ = 0;
  std::uint64_t streamed_ = 0;
  /// How many copies lie between two by the worse way.
  std::uint32_t shortest_interval_;
  std::uint32_t interval_;
  std::uint32_t since_look_ = 0;
};

} // namespace

void copy_into_ring(std::byte* to, const std::byte* from,
                    std::size_t size) noexcept {
  constexpr std::size_t small = 4 << 10;
  // More than the caches keep for the reader: another matter.
  constexpr std::size_t large = 256 << 10;
  thread_local constinit copy_choice for_middling{256};
  thread_local constinit copy_choice for_large{4};
  if (size >= large)
    for_large.copy(to, from, size,
                   [](void* into, const void* out_of, auto all) {
                     std::memcpy(into, out_of, all);
                   });
  else if (size >= small)
    for_middling.copy(to, from, size, os::cached_copy);
  else if (size != 0)
    std::memcpy(to, from, size);
}

} // namespace troupe::mailbox
