// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::hosting {

/// Makes the calling thread the one that ends this process. Each exit handler
/// of Troupe's calls this first. Returns false in a copy that the user forked:
/// nothing is there to be ended.
///
/// One thread ends a process. Does not return in another that calls `exit`, or
/// returns from `main`, meanwhile: the code of the first one counts. And should
/// an error of Troupe's be caught by nobody in another thread, that one stops,
/// instead of the program: what it was about has been ended by the exit.
[[nodiscard]] bool begin_exit() noexcept;

/// Does not return if another thread ends this process.
void wait_for_exit_elsewhere() noexcept;

/// To be called while this process ends where threads run on, and cannot be
/// waited for, that use what static objects destroy. Then the process ends
/// without the destructors of these: after all exit handlers that were
/// registered since it joined the run, all output is written, and it is left at
/// once, with the code of its exit.
void leave_static_objects() noexcept;

/// To be called in the root. From then on an exception that nobody catches does
/// not abort it while it is about to die of a signal: its thread stays there.
void hold_instead_of_terminating() noexcept;

/// Has `last` called when this process exits, or a copy that the user forked,
/// after all that is registered later. Once in a process.
void at_exit(void (*last)());

} // namespace troupe::hosting
