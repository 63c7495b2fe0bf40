// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/wait_word.hpp>

#include <cstdint>

namespace troupe::sync {

/// The short lock inside of each sync object, which guards its wait queue.
///
///     bit 0    who       a process's row plus one, or the pid of the fork
///                        server; 0: free
///     22       by_pid    `who` is a pid
///     30       sleepers  somebody sleeps on the word
///     31       death     a process has died: the owner repairs before it
///                        unlocks
///
/// It names the process that owns it, so whoever confirms the death of that one
/// takes it over and repairs what it guards. If a living process owns it, the
/// repair is left to that process: who confirms a death never waits, for the
/// owner may be stopped.
class robust_lock {
public:
  /// Waits for the lock. `row` is the caller's process.
  /// @blocks on other processes, for some instructions of each
  void lock(std::uint32_t row) noexcept;

  /// Unlocks. False: the caller still owns it, and there was a death; repair,
  /// and try again.
  [[nodiscard]] bool try_unlock() noexcept;

  /// Locks in order to repair after the death of the process in `dead_row`,
  /// from that process if it was the owner. False: a living process owns it,
  /// and will see that there was a death. `own_row` is the caller's; the fork
  /// server has the row behind the last slot and is known by its pid instead,
  /// for the next fork server gets the same row.
  [[nodiscard]] bool try_lock_after_death(std::uint32_t dead_row,
                                          std::uint32_t own_row) noexcept;

  /// Unlocks after a repair, and wakes all who wait for the lock: the dead may
  /// have been about to wake one, or to be one. False: as `try_unlock`.
  [[nodiscard]] bool try_unlock_after_death() noexcept;

private:
  void lock_slowly(std::uint32_t name) noexcept;
  [[nodiscard]] bool try_free(std::uint32_t& seen) noexcept;

  // acquire by who locks, release by who unlocks; acq_rel by who takes it over
  // from the dead. That somebody sleeps is said in the word itself, relaxed.
  os::wait_word word_{0};
};

static_assert(sizeof(robust_lock) == 4);

} // namespace troupe::sync
