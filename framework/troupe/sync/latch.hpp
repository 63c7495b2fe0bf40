// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/wait_word.hpp>

#include <cstdint>

namespace troupe::sync {

/// The short lock inside of each sync object, around its line of waiters.
///
///     bit 0    who       a process's row plus one, or the pid of the fork
///                        server; 0: free
///     22       by_pid    `who` is a pid
///     30       sleepers  somebody sleeps on the word
///     31       news      somebody has died: whoever is inside repairs before
///                        it leaves
///
/// It names the process inside, so whoever confirms a death takes it over and
/// repairs what it guards. If a living process is inside, the repair is left to
/// that one: a confirmer never waits, for who is inside may be stopped.
class latch {
public:
  /// Waits for the latch. `row` is the caller's process.
  /// @blocks on other processes, for some instructions of each
  void enter(std::uint32_t row) noexcept;

  /// Leaves. False: still inside, and there is news; repair, and try again.
  [[nodiscard]] bool try_leave() noexcept;

  /// Enters in order to repair after the death of the process in `dead_row`,
  /// from that process if it was inside. False: a living one is inside, and
  /// has been given the news. `own_row` is the caller's; the fork server has
  /// the row behind the last slot and is known by its pid instead, for the
  /// next fork server gets the same row.
  [[nodiscard]] bool enter_after_death(std::uint32_t dead_row,
                                       std::uint32_t own_row) noexcept;

  /// Leaves after a repair, and wakes all who wait to enter: the dead may have
  /// been about to wake one, or to be one. False: as `try_leave`.
  [[nodiscard]] bool try_leave_after_death() noexcept;

private:
  void enter_slowly(std::uint32_t name) noexcept;
  [[nodiscard]] bool try_free(std::uint32_t& seen) noexcept;

  os::wait_word word_{0};
};

static_assert(sizeof(latch) == 4);

} // namespace troupe::sync
