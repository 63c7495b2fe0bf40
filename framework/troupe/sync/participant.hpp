// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/process.hpp>
#include <troupe/sync/owner.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

/// Who holds a lock, or waits for it, in words for people.
struct participant {
  process_view process;
  std::string process_name;
  std::int32_t pid = 0;
  /// The kernel's number of the thread; for an actor the low 22 bits of its id.
  std::int32_t thread = 0;
  bool is_actor = false;

  /// "process-1 (pid 4711), thread 4712"
  [[nodiscard]] std::string description() const;
};

/// Who holds a lock, and since when (to within 10 ms).
struct lock_holder : participant {
  std::chrono::steady_clock::time_point since;
  /// The fencing number of this holding.
  std::uint64_t fence = 0;
};

namespace sync {

/// Looks `who` up in the process table.
[[nodiscard]] participant participant_of(owner who);

} // namespace sync

} // namespace troupe
