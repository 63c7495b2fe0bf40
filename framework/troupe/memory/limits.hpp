// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe {

/// How large one run may become. Fixed when the run starts.
///
/// Reaching any of them throws `limit_reached`, names the member to raise, and
/// loses nothing: what existed before goes on. Among actors, who see only
/// messages: a request fails with that error, an answer that finds no memory is
/// a dead letter.
struct limits {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr std::uint64_t default_address_space = 1ULL << 36;
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  static constexpr std::uint64_t default_address_space = 1ULL << 36;
#  else
  static constexpr std::uint64_t default_address_space = 1ULL << 40;
#  endif
#else
  static constexpr std::uint64_t default_address_space = 1ULL << 40;
#endif

  /// Bytes of address space for shared objects over the whole life of the run.
  /// Address space is never used twice; 1 TiB lasts for 2^28 objects of a page.
  /// Costs nothing until used. Halved automatically where the machine does not
  /// let that much be mapped, as long as 1 GiB is left beside the tables.
  std::uint64_t address_space = default_address_space;

  /// Bytes that living shared objects may reserve together. 0 means what
  /// `os::memory_size` says: the machine's memory or the cgroup's limit.
  std::uint64_t memory = 0;

  /// Processes alive, or dead and not yet joined, at the same time. Rounded up
  /// to a multiple of 64; each costs 4 bytes per 32 in every object's header.
  std::uint32_t processes = 2048;

  /// Different shared objects that one process may hold at the same time.
  /// Rounded up to whole pages of 8 bytes each.
  std::uint32_t handles = 1U << 17;
};

} // namespace troupe
