// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/limits.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/run_command.hpp>
#include <troupe/process/start.hpp>

#include <chrono>
#include <span>
#include <stop_token>
#include <utility>

namespace troupe {

/// What may be said about a run before it starts.
struct run_options {
  /// How large it may become.
  limits size;

  /// How long a process that is asked to end may take before it is killed: a
  /// daemon at its parent's end, and the whole run after Ctrl-C.
  std::chrono::nanoseconds grace = std::chrono::seconds{5};
};

/// The run: the first line of `main` makes it.
///
///     int main(int argc, char** argv) {
///       troupe::program program{argc, argv};
///
/// In the root, the program that the user started, this starts the run and
/// returns. In a process that the run has started it never returns: such a
/// process runs its function and ends, so nothing after this line is done
/// twice. What is *before* this line, and static initialisation, is done in
/// the fork server too.
///
/// The destructor, and `exit`, end the run in order: daemons are asked to end
/// and killed after the grace, every other process is waited for. The first
/// thread that exits ends the process, with its code. Where others cannot be
/// waited for, exit handlers from before this line do not run, and static
/// objects are not destroyed: see `actor_system`.
///
/// # What a crash leaves
/// Nothing. If the root dies, however, the kernel kills every process of the
/// run, and frees its memory with the last of them.
class program {
public:
  /// Throws `invalid_state` (there is one already), `invalid_argument`,
  /// `os_failure` (also no more threads or processes), `malformed_bytes` (the
  /// environment has a variable of Troupe's that it has not made).
  program(int argc, char** argv, const run_options& options = {});

  /// @blocks on every process of the run that is not a daemon
  ~program();

  program(const program&) = delete;
  program& operator=(const program&) = delete;

  /// The program's arguments, without its name.
  [[nodiscard]] std::span<char* const> arguments() const noexcept {
    return arguments_;
  }

  /// `troupe::start`, for readers who expect it here.
  template <auto F, class... Args>
  [[nodiscard]] static process start(Args&&... args) {
    return troupe::start<F>(std::forward<Args>(args)...);
  }

  template <class... Args>
  [[nodiscard]] static process start(Args&&... args) {
    return troupe::start(std::forward<Args>(args)...);
  }

private:
  std::span<char* const> arguments_;
};

/// Returns a token that is asked to stop at the first Ctrl-C.
///
/// A process that has called this is not ended by SIGINT any more: it has the
/// run's grace to end by itself, then it is killed. May be called in every
/// process of the run; outside of the root it starts a thread.
/// Throws `invalid_state` outside of a run.
[[nodiscard]] std::stop_token interrupt_token();

/// Returns whether Ctrl-C has asked this run to end. Throws `invalid_state`
/// outside of a run.
[[nodiscard]] bool interrupted();

namespace hosting {

/// Returns whether this process begins nothing new: it has begun to end its
/// children, or Ctrl-C has asked the run to end. Whoever has seen a process end
/// by a signal says by which: after a SIGINT this waits a tenth of a second for
/// the word, for a terminal tells the processes in no order.
[[nodiscard]] bool is_winding_up(int signal = 0);

/// Returns whether Ctrl-C is about to end this process, the root: it has not
/// asked for `interrupt_token()`.
[[nodiscard]] bool dies_of_interrupt();

} // namespace hosting

} // namespace troupe
