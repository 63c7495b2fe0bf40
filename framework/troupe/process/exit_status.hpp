// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/failure.hpp>
#include <troupe/memory/process_slot.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// How a process ended, with its story.
class exit_status {
public:
  exit_status() = default;

  /// Reads the status out of the process table.
  explicit exit_status(const memory::process_slot& slot);

  /// The status of a command, which is no process of the run: see
  /// `run_command`. `code` is the exit code or the signal's number, `reason`
  /// why it is not known.
  exit_status(memory::ending how, int code, std::string last_lines,
              std::string reason = {}) noexcept;

  /// Returns whether the process returned, or called `exit(0)`.
  [[nodiscard]] bool success() const noexcept {
    return ending_ == memory::ending::exited && code_ == 0;
  }

  /// Returns whether it ended by itself: by returning, `exit` or `_exit`.
  [[nodiscard]] bool exited() const noexcept {
    return ending_ == memory::ending::exited;
  }

  /// Returns whether a signal ended it, `kill` included.
  [[nodiscard]] bool signaled() const noexcept {
    return ending_ == memory::ending::signaled;
  }

  /// Returns whether an uncaught exception ended it; `code()` is then 1.
  [[nodiscard]] bool threw() const noexcept {
    return ending_ == memory::ending::threw;
  }

  /// The exit code; for a process that a signal ended, minus the signal's
  /// number, as in Python. -255 if nobody could tell.
  [[nodiscard]] int code() const noexcept;

  /// The signal's number, 0 if none.
  [[nodiscard]] int signal() const noexcept {
    return signaled() ? code_ : 0;
  }

  /// "SIGKILL"; empty if no signal.
  [[nodiscard]] std::string signal_name() const;

  /// The type of the uncaught exception, as C++ spells it.
  [[nodiscard]] const std::string& exception_type() const noexcept {
    return exception_.type;
  }

  /// The `what()` of the uncaught exception, at most 759 bytes of it.
  [[nodiscard]] const std::string& exception_text() const noexcept {
    return exception_.text;
  }

  /// The exceptions inside of the uncaught one, from the outer to the inner, as
  /// `std::throw_with_nested` made them: at most 16 of them and 559 bytes
  /// together; longer texts are cut.
  [[nodiscard]] const std::vector<exception_cause>& causes() const noexcept {
    return exception_.causes;
  }

  /// The three in one. For layers above.
  [[nodiscard]] const calls::failure& exception() const noexcept {
    return exception_;
  }

  /// The last lines of standard error, at most 4 KiB: what was written through
  /// `std::cerr`, `std::clog` and C's `stderr`, not by `write(2)`. Of a line
  /// that is longer than half of that the end, behind "...".
  [[nodiscard]] const std::string& last_lines() const noexcept {
    return last_lines_;
  }

  /// One line for people: "killed by SIGKILL (9)".
  [[nodiscard]] std::string description() const;

private:
  memory::ending ending_ = memory::ending::none;
  int code_ = 0;
  /// The text says also why a process was lost.
  calls::failure exception_;
  std::string last_lines_;
};

namespace hosting {

/// Returns how `process` ended; nothing if it has not, or if its slot has been
/// given back, even while this reads it.
[[nodiscard]] std::optional<exit_status> status_of(memory::slot_id process);

} // namespace hosting

} // namespace troupe
