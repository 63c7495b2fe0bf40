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

  /// Bytes of address space for shared objects that live at the same time; used
  /// again when they end. A 32nd is for heads of 256 bytes, one for each
  /// object, which hold payloads of up to 128 bytes; a quarter for payloads of
  /// up to 1 MiB, in pages; the rest for larger ones, in granules of 2 MiB.
  /// Costs nothing until used. Halved automatically where the machine does not
  /// let that much be mapped, as long as 64 MiB are left beside the tables.
  std::uint64_t address_space = default_address_space;

  /// Bytes that living shared objects may reserve together, and the memory of
  /// ended ones that is kept for the next. 0 means what
  /// `os::memory_size` says: the machine's memory or the cgroup's limit.
  std::uint64_t memory = 0;

  /// Processes alive, or dead and not yet joined, at the same time. Rounded up
  /// to a multiple of 64; each costs 10 KiB of addresses, and of memory once
  /// used.
  std::uint32_t processes = 2048;

  /// Different shared objects that one process may hold at the same time.
  /// Each costs 8 bytes of memory in that process.
  std::uint32_t handles = 1U << 24;
};

} // namespace troupe
