// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/pipe.hpp>

#include <atomic>

namespace troupe::os {

/// Ends a process group when the calling process ends, however it ends.
///
/// A pipe of which both ends are the calling process's alone, and both are
/// armed so that the *kernel* sends SIGKILL to the group when the other end is
/// closed. Whichever the kernel closes first when the process dies, the other
/// one is still there. No process has to be alive for it: compare `life_line`,
/// which ends a run with its root.
///
/// What has left the group is not in it, and neither is what the calling
/// process may not signal, such as a program that has become another user's.
class group_life_line {
public:
  /// Makes the pipe; it ends nobody yet. Throws `os_failure`.
  group_life_line();
  ~group_life_line();
  group_life_line(const group_life_line&) = delete;
  group_life_line& operator=(const group_life_line&) = delete;

  /// Hangs the group of the calling process on it. For the child that leads the
  /// group, before it executes its program, when it may share its memory with
  /// the parent. False: `errno` says why.
  [[nodiscard]] bool arm_for_own_group() const noexcept;

  /// To be there while the calling thread makes that child.
  class arming_child {
  public:
    arming_child() noexcept;
    ~arming_child();
    arming_child(const arming_child&) = delete;
    arming_child& operator=(const arming_child&) = delete;
  };

  /// Ends the group now.
  void end() noexcept;

private:
  pipe_ends pipe_;
  /// Where a copy of this process that the user forks off finds the ends, to
  /// close them: it must not keep the group alive.
  std::atomic<const group_life_line*>* listed_at_;

  friend void forget_group_life_lines() noexcept;
};

} // namespace troupe::os
