// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::hosting {

/// Whether `TROUPE_REPORT` is 1 in the environment: then the memory of the run
/// keeps what its processes have counted, until the end.
[[nodiscard]] bool is_report_wanted() noexcept;

/// Writes to standard error what the run has spent its time on, if that is
/// wanted: processes, pools, slowest tasks, queues by their greatest depth,
/// what was waited for longest, and one line of advice. For the root, when all
/// other processes have ended.
void write_exit_report() noexcept;

} // namespace troupe::hosting
