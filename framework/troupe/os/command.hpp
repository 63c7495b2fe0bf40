// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/child.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/group_life_line.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::os {

/// What a command begins with.
struct command_setup {
  /// The program's name and its arguments.
  std::vector<std::string> words;
  /// The files that may be the program, in the order in which they are tried.
  std::vector<std::string> files;
  /// All of it, "NAME=value".
  std::vector<std::string> environment;
  /// Where it begins; empty: in the caller's directory.
  std::string directory;
  /// What becomes its descriptors 0 to 2; each above 2.
  int input = -1;
  int output = -1;
  int error_output = -1;
};

/// What of a start failed.
enum class command_step : std::int32_t {
  none,
  fork,
  group,
  directory,
  execute
};

struct begun_command {
  /// Also the number of its process group and session.
  std::int32_t pid = 0;
  /// Readable once it has ended; none if it is gone already, because the
  /// process ignores SIGCHLD.
  descriptor ended;
  command_step failed_at = command_step::none;
  int os_error = 0;
};

/// Begins a command as a child of the calling process: in a session of its own,
/// hung on `line`, as the one that adopts the orphans among its descendants;
/// with no signal blocked, each at its default, and no descriptor but 0 to 2.
/// All else, user, limits, umask and so on, is as in the calling process.
/// Returns when the program is executed, or what failed. Throws `os_failure` if
/// there are no more descriptors.
///
/// The child shares the memory of the calling process until then: what it costs
/// does not depend on how large that is. The calling thread cannot be killed
/// by a signal to it meanwhile; the process can.
[[nodiscard]] begun_command begin_command(const command_setup& setup,
                                          const group_life_line& line);

/// Sends SIGKILL to the group of a command that is not reaped, and to itself.
/// False: the calling process may not, because it has become another user's.
bool kill_command(const begun_command& which) noexcept;

/// Waits for a command's end. @blocks on the command
void wait_for_command(const begun_command& which) noexcept;

/// Waits for a command's end, and lets the kernel forget it. Nothing if the
/// system, or somebody else who waits for every child, has taken its status.
/// @blocks on the command
[[nodiscard]] std::optional<child_end>
reap_command(const begun_command& which) noexcept;

/// Opens what reads as empty. Throws `os_failure`.
[[nodiscard]] descriptor open_empty_input();

} // namespace troupe::os
