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
  /// Clock ticks after boot, from /proc; 0 means unknown.
  std::uint64_t start_time = 0;

  friend bool operator==(const process_id&, const process_id&) noexcept
    = default;
};

/// Returns the calling process. One read of /proc.
[[nodiscard]] process_id this_process_id();

/// Returns the number of the calling process.
[[nodiscard]] std::int32_t this_pid() noexcept;

/// Returns the number of the calling thread.
[[nodiscard]] std::int32_t this_thread_id() noexcept;

/// Returns whether some process has that number, if only as a zombie.
[[nodiscard]] bool has_number(std::int32_t pid) noexcept;

/// Returns whether that very process still runs. A zombie does not run, unless
/// there is no descriptor left with which to see that it is one.
[[nodiscard]] bool is_running(const process_id& id) noexcept;

/// Opens a descriptor that becomes readable when the process ends.
/// Throws `os_failure`, also when the process is gone already (ESRCH).
[[nodiscard]] descriptor open_pidfd(std::int32_t pid);

/// Sends a signal to that very process; returns false if it is gone.
/// The number is checked through a pidfd, so nobody else is hit.
bool send_signal(const process_id& id, int signal) noexcept;

/// Returns the short name of a signal: "SIGKILL", or "signal 64".
[[nodiscard]] std::string signal_name(int signal);

} // namespace troupe::os
