// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace troupe::os {

/// How a child of the calling process ended, as the kernel tells.
struct child_end {
  std::int32_t pid = 0;
  bool signaled = false;
  /// The exit code, or the signal's number.
  int code = 0;
};

/// Copies the calling process, which must have one thread only. Returns 0 in
/// the child. Throws `os_failure`.
[[nodiscard]] std::int32_t fork_process();

/// From now on calls `action` in every child that is forked off this process:
/// by the user, or a library.
void in_forked_children(void (*action)()) noexcept;

/// The environment of this process as it is now, to be handed to children made
/// later, by a thread that must not look while the program changes it.
[[nodiscard]] std::vector<std::string> copy_environment();

/// How the own binary is to be started anew.
struct image {
  std::vector<std::string> environment;
  /// Added to the environment: `variable`=`value`.
  const char* variable = nullptr;
  std::string value;
  /// Of the descriptors that close at an `exec`, as Troupe's do, only these
  /// stay.
  std::vector<int> keep;
  /// Others that are closed.
  std::vector<int> closed;
  /// Which descriptor becomes which; -1: that one is closed.
  std::vector<std::pair<int, int>> streams;
  /// From `signal_settings::mask`.
  const void* mask = nullptr;
};

/// Starts the calling program's own binary anew with the same arguments.
/// Returns its pid. Throws `os_failure`.
[[nodiscard]] std::int32_t spawn_self(const image& how);

/// Replaces the calling process by a fresh image of its own binary, as
/// `spawn_self` would, with the environment of now. Only returns on failure, by
/// throwing `os_failure`.
[[noreturn]] void exec_self(const char* variable, const std::string& value,
                            std::span<const int> keep);

/// Returns an ended child without reaping it, so that a crash of the caller
/// before `reap` loses nothing; nothing if no child has ended.
[[nodiscard]] std::optional<child_end> peek_ended_child() noexcept;

/// The same for one child. `is_child` is false if `pid` is not one of ours.
struct child_state {
  bool is_child = false;
  std::optional<child_end> ended;
};
/// With a pidfd of it, nobody else who was given its number is meant.
[[nodiscard]] child_state peek_child(std::int32_t pid, int pidfd = -1) noexcept;

/// Waits for the end of a child, lets the kernel forget it, and returns it;
/// nothing if it is not one of ours. @blocks on the child
std::optional<child_end> reap(std::int32_t pid, int pidfd = -1) noexcept;

/// Opens a descriptor that is readable while an ended child waits, and blocks
/// SIGCHLD for it. Throws `os_failure`.
[[nodiscard]] descriptor watch_children();

/// Empties the descriptor of `watch_children`.
void clear_child_watch(int fd) noexcept;

[[nodiscard]] std::int32_t parent_pid() noexcept;

/// Names the process for `ps`; 15 bytes are seen.
void name_process(const char* name) noexcept;

/// Lets standard input read as empty, and opens what of 0 to 2 is closed.
void detach_standard_input() noexcept;

/// Ends the process at once, no handlers run, nothing flushed.
[[noreturn]] void exit_at_once(int code) noexcept;

/// Keeps the calling thread until its process ends.
[[noreturn]] void stop_this_thread() noexcept;

/// What to do about a process or a thread that the system refuses to make: says
/// which limit it is if there is one.
[[nodiscard]] std::string advice_for_refused_process(int error);

} // namespace troupe::os
