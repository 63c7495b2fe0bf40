// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/exit_status.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace troupe {

/// What may be said about a command.
struct command_options {
  /// How long it may run; nothing: as long as it likes.
  std::optional<std::chrono::nanoseconds> limit{};

  /// What it reads on standard input; empty: it reads nothing, from /dev/null.
  std::string input{};

  /// Where it runs; empty: in the caller's directory.
  std::string directory{};

  /// "NAME=value": set besides, or instead of, what the caller's environment
  /// has of that name. "NAME": not set.
  std::vector<std::string> environment{};

  /// How many bytes it may write, to standard output and to standard error
  /// each. All of them are kept in memory.
  std::size_t output_limit = std::size_t{64} << 20;

  /// Asks to end it. A token that cannot be stopped, the default, means: in a
  /// task of a pool the task's own, `this_task::stop_token()`; elsewhere none.
  std::stop_token stop{};
};

/// What came of a command.
struct command_result {
  /// Its exit code or signal; `last_lines()` are those of `error_output`. A
  /// code other than 0 is no error of `run_command`. `code()` is -255 if the
  /// status is lost: the process ignores SIGCHLD, or another thread has waited
  /// for all its children.
  exit_status status;
  /// All that was written to its standard output.
  std::string output;
  /// All that was written to its standard error.
  std::string error_output;

  [[nodiscard]] bool success() const noexcept {
    return status.success();
  }
};

/// Runs another program, waits until it has ended, and returns what it wrote
/// and how it ended: `run_command({"ffmpeg", "-i", file, target})`. No shell is
/// asked; a program that is named without a slash is looked for in the
/// directories of PATH.
///
/// May be called in every process of a run and in every thread, by many at a
/// time, and without a run. The program begins in a session and process group
/// of its own, without a terminal; with descriptors 0 to 2 only, no signal
/// blocked and each at its default; as the caller in all else: user, limits,
/// umask, nice, affinity. Input and output are moved at the same time, however
/// large they are; a command that does not read its input is not waited for.
///
/// The call ends with the program that it has begun, and not with what that has
/// left behind, even if this has the pipes open still: the rest of the
/// program's group is killed then.
///
/// Throws `os_failure` (there is no such program or directory, it cannot be
/// executed), `timed_out`, `cancelled` (asked to stop), `limit_reached` (it
/// wrote too much), `invalid_argument` (an empty command, a zero byte). Before
/// the last three but one are thrown, the program and all that descends from it
/// are killed, also what has left its group.
/// @blocks on the command. Not for an actor that shares its thread: see
/// `runtime/spawn.hpp`.
///
/// # What a crash leaves
/// When the calling process ends while the call waits, however it ends, the
/// kernel kills the program's process group: the caller was killed, by the hard
/// limit of its pool or by hand, the program has ended, the root was killed.
/// What has left the group, as a daemon does by `setsid`, lives on then; so
/// does what the caller may not signal.
[[nodiscard]] command_result
run_command(const std::vector<std::string>& command,
            command_options options = {});

namespace hosting {

/// From now on `token()` is what asks a command of this process to end whose
/// caller has given no token; it is called in the caller's thread.
void set_default_stop_of_commands(std::stop_token (*token)()) noexcept;

} // namespace hosting

} // namespace troupe
