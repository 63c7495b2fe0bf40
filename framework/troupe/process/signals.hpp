// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <stop_token>

namespace troupe {

/// Signals by which a program is asked to end. A set: `interrupt | terminate`.
enum class signals : std::uint32_t {
  /// SIGINT: Ctrl-C on the terminal.
  interrupt = 1,
  /// SIGTERM: `kill`, service managers, containers that are stopped.
  terminate = 2,
};

[[nodiscard]] constexpr signals operator|(signals a, signals b) noexcept {
  return static_cast<signals>(static_cast<std::uint32_t>(a)
                              | static_cast<std::uint32_t>(b));
}

/// Returns a token that is asked to stop at the first signal of `which`.
///
/// A process that has called this is not ended by those signals any more: it
/// has the run's grace to end by itself, then it is killed. In the root, which
/// decides for the run: states, the host of services, spawned actors and
/// workers of pools live until the root has ended or the grace is over; nothing
/// new begins (`start`, `async`, `spawn` and a pool's tasks fail with
/// `cancelled`); and the code with which `main` ends counts. May be called in
/// every process of the run; outside of the root it starts a thread.
///
/// Does nothing for a signal whose handler the program has set itself, before
/// `program` or since; a call in a child replaces such a handler there.
/// Throws `invalid_state` outside of a run, `invalid_argument` for an empty
/// set, `os_failure`.
[[nodiscard]] std::stop_token
interrupt_token(signals which = signals::interrupt);

/// Returns whether a signal has asked this run to end. Throws `invalid_state`
/// outside of a run.
[[nodiscard]] bool interrupted();

/// Returns the number of the signal that has asked this run to end first, 0 if
/// none has: `return 128 + troupe::interrupted_by()`. Throws `invalid_state`
/// outside of a run.
[[nodiscard]] int interrupted_by();

namespace hosting {

/// The place of a signal in a set of signals: 0 for one that is none of
/// `signals`.
[[nodiscard]] std::uint32_t bit_of(int signal) noexcept;

/// Of the first function of a process (`calls::named<&f>`): whether that
/// process serves others of the run: a state, the host of services or of
/// actors, a pool's worker, what runs for another machine. SIGINT and SIGTERM
/// that come from the terminal, or from outside while the root listens, pass
/// such a process by, from its first moment: the root decides. Those that a
/// process of the run sends end it, and `interrupt_token` works as elsewhere.
template <class Callable>
inline constexpr bool leaves_signals_to_root = false;

/// Makes SIGINT and SIGTERM from outside of the run pass the calling process by
/// from now on, also those that were held back since its fork.
void leave_signals_to_root() noexcept;

/// To be called by a process that leaves signals to the root, when its
/// work is done and it is about to return. From then on SIGINT and SIGTERM pass
/// it by, also those of its parent's end, so that it writes what it has
/// buffered; the parent waits for it for the run's grace, and then kills it.
void let_end_by_itself() noexcept;

/// Returns whether the process is shutting down: it has begun to end its
/// children, or a signal has asked the run to end. `signal` is the one that
/// another process was seen to end by: for SIGINT this waits up to 0.1 s for
/// the root to confirm that the run was interrupted, since a terminal signals
/// the processes in no order.
[[nodiscard]] bool is_winding_up(int signal = 0);

/// Returns whether a signal is about to end this process, the root: it has not
/// asked for a token of that signal.
[[nodiscard]] bool dies_of_interrupt() noexcept;

/// Throws `cancelled` if a signal has asked the run to end; does not return in
/// a root that is about to die of it.
void require_no_interrupt(const char* attempted);

} // namespace hosting

} // namespace troupe
