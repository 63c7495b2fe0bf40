// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/limits.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/run_command.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/stall_watch.hpp>
#include <troupe/process/start.hpp>

#include <chrono>
#include <span>
#include <utility>

namespace troupe {

/// What may be said about a run before it starts.
struct run_options {
  /// How large it may become.
  limits size{};

  /// How long a process that is asked to end may take before it is killed: a
  /// daemon at its parent's end, and the whole run after Ctrl-C or SIGTERM.
  std::chrono::nanoseconds grace = std::chrono::seconds{5};

  /// Whether a thread that waits for another, and is always woken on the
  /// processor on which that one runs, may be moved to another processor, as
  /// often as every millisecond. Two threads that take turns on one processor
  /// are never moved by the system, since never both can run. The thread may go
  /// afterwards wherever it might go before; but `sched_setaffinity` from
  /// another thread at that moment is lost. Threads of the library's own, such
  /// as those of pools' workers and of states, move whatever this says.
  bool move_threads = false;

  /// For how long something may stand still before the root says so on standard
  /// error, with the cycle of those who wait for each other: see
  /// `inspection::stall_reporter`. At least a fifth of a second. Unless given,
  /// nobody looks, and it costs nothing.
  ///
  ///     troupe::program program{argc, argv, {.report_stall = 30s}};
  stall_delay report_stall = {};
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
/// # Options
/// Arguments that begin with `--troupe.` and stand before the first `--` are
/// options, and not among `arguments()`. Only the root looks at them, before
/// anything of the run is made. Libraries take them: a program that includes
/// `troupe/machines/machines.hpp` has
///
///     --troupe.listen=HOST:PORT    it leads machines, which join it there
///     --troupe.join=HOST:PORT      it is one, and does not return from here
///
/// and those that `troupe/machines/machines.hpp` lists. In any other program
/// each of them is `invalid_argument`.
///
/// With `TROUPE_REPORT=1` in the environment the root writes to standard error,
/// at the end, what the run has spent its time on.
///
/// The destructor, and `exit`, end the run in order: daemons are asked to end
/// and killed after the grace, every other process is waited for. The first
/// thread that exits ends the process, with its code. Where others cannot be
/// waited for, exit handlers from before this line do not run, and static
/// objects are not destroyed: see `actor_system`.
///
/// SIGINT and SIGTERM end the run, quietly, and the root dies of the signal,
/// unless the root has asked for `interrupt_token()`, or has set handlers of
/// its own before this line.
///
/// # What a crash leaves
/// Nothing. If the root dies, however, the kernel kills every process of the
/// run, and frees its memory with the last of them.
class program {
public:
  /// Throws `invalid_state` (there is one already), `invalid_argument` (also
  /// for a `--troupe.` option that no library knows), `os_failure` (also where
  /// no thread or process can be made), `malformed_bytes` (a variable of
  /// Troupe's in the environment has a foreign value), and what a library
  /// throws for its options.
  program(int argc, char** argv, const run_options& options = {});

  /// @blocks on every process of the run that is not a daemon
  ~program();

  program(const program&) = delete;
  program& operator=(const program&) = delete;

  /// The program's arguments, without its name and without options.
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

} // namespace troupe
