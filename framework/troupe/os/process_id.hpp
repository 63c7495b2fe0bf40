// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <string>

namespace troupe::os {

/// Which process: its number and when it started, so that a number that the
/// kernel has given to another process is not mistaken for it.
struct process_id {
  std::int32_t pid = 0;
  /// Clock ticks after boot, from /proc; 0 means unknown: /proc does not tell.
  std::uint64_t start_time = 0;

  friend bool operator==(const process_id&, const process_id&) noexcept
    = default;
};

/// Returns the calling process. One read of /proc.
[[nodiscard]] process_id this_process_id();

/// Returns the number of the calling process. A system call at the first time
/// only; a child that was forked, also by a bare system call, asks anew. What
/// shares its parent's memory, as a child of `vfork` does, must not call it.
[[nodiscard]] std::int32_t this_pid() noexcept;

/// Returns the number of the calling thread.
[[nodiscard]] std::int32_t this_thread_id() noexcept;

/// Returns whether that process is in the process group of this one, so that a
/// terminal signals both.
[[nodiscard]] bool shares_process_group(std::int32_t pid) noexcept;

/// Returns whether `signal` is neither caught nor ignored in that process, as
/// /proc tells; true where that tells nothing.
[[nodiscard]] bool leaves_at_default(std::int32_t pid, int signal);

/// Returns whether some process has that number, if only as a zombie.
[[nodiscard]] bool has_number(std::int32_t pid) noexcept;

/// Returns whether that very process still runs. A zombie does not run, unless
/// there is no descriptor left with which to see that it is one. What /proc
/// says decides nothing but whether a number was given to another process
/// meanwhile, and there is no harm if /proc is missing or another PID
/// namespace's.
[[nodiscard]] bool is_running(const process_id& id) noexcept;

/// Opens a descriptor that becomes readable when the process ends.
/// Throws `os_failure`, also when the process is gone already (ESRCH).
[[nodiscard]] descriptor open_pidfd(std::int32_t pid);

/// What became of a signal.
enum class signal_outcome {
  sent,
  /// The process has ended.
  gone,
  /// It runs, and the caller may not signal it: it has another user.
  not_permitted,
};

/// Sends a signal to that very process. The number is checked through a pidfd,
/// so nobody else is hit.
[[nodiscard]] signal_outcome try_signal(const process_id& id,
                                        int signal) noexcept;

/// The same; returns whether it was sent.
bool send_signal(const process_id& id, int signal) noexcept;

/// Returns the short name of a signal: "SIGKILL", or "signal 64".
[[nodiscard]] std::string signal_name(int signal);

} // namespace troupe::os
