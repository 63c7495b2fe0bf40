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

/// Starts the calling program's own binary anew with the same arguments, the
/// environment `environment` with `variable`=`value` added, the signal mask `mask` (from
/// `signal_settings::mask`), and of all descriptors that close at an `exec`, as
/// Troupe's do, only `keep`.
/// Returns its pid. Throws `os_failure`.
[[nodiscard]] std::int32_t
spawn_self(const std::vector<std::string>& environment, const char* variable,
           const std::string& value, std::span<const int> keep,
           const void* mask);

/// Replaces the calling process by a fresh image of its own binary, as
/// `spawn_self` would, with the environment of now. Only returns on failure, by throwing `os_failure`.
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
[[nodiscard]] child_state peek_child(std::int32_t pid) noexcept;

/// Returns the children of the calling process, ended ones too, that bear
/// `name` (see `name_process`). None where the kernel does not tell.
[[nodiscard]] std::vector<std::int32_t> children_named(const char* name);

/// Lets the kernel forget an ended child.
void reap(std::int32_t pid) noexcept;

/// Opens a descriptor that is readable while an ended child waits, and blocks
/// SIGCHLD for it. Throws `os_failure`.
[[nodiscard]] descriptor watch_children();

/// Empties the descriptor of `watch_children`.
void clear_child_watch(int fd) noexcept;

/// Orphans among the descendants become children of the calling process.
void adopt_orphans() noexcept;

[[nodiscard]] std::int32_t parent_pid() noexcept;

/// Names the process for `ps`; 15 bytes are seen.
void name_process(const char* name) noexcept;

/// Lets standard input read as empty, and opens what of 0 to 2 is closed.
void detach_standard_input() noexcept;

/// Ends the process at once, no handlers run, nothing flushed.
[[noreturn]] void exit_at_once(int code) noexcept;

/// Keeps the calling thread until its process ends.
[[noreturn]] void stop_this_thread() noexcept;

/// Returns the value of an environment variable and removes it.
[[nodiscard]] std::optional<std::string> take_environment(const char* name);

} // namespace troupe::os
