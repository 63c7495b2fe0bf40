// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::hosting {

/// Sets the standard streams of a new host up.
///
/// Standard output is written line by line, so that lines of several processes
/// do not tear. What goes to `std::cerr`, `std::clog` and C's `stderr` is
/// written line by line as well, and its last 4 KiB are kept in the process
/// table, where whoever joins the process finds them however it ended. A line
/// that was not ended when a signal kills the process stands there only. Bytes
/// written with `write(2)` go past both, and so does what a program writes to
/// `std::cout` after `sync_with_stdio(false)`: that is buffered by size.
void set_up_streams();

/// Writes out what standard output has buffered. Never throws: a closed stream
/// does no harm.
void flush_output() noexcept;

/// The same for all streams, at the end of a process: what is written to
/// standard error later goes out at once.
void flush_streams() noexcept;

} // namespace troupe::hosting
