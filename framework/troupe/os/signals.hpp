// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

namespace troupe::os {

/// The signal mask of a thread, and whether SIGINT, SIGQUIT and SIGCHLD were
/// ignored: what a child must find as the user left it.
class signal_settings {
public:
  /// Notes the settings of the calling thread.
  signal_settings();
  ~signal_settings();
  signal_settings(const signal_settings&) = delete;
  signal_settings& operator=(const signal_settings&) = delete;

  /// Puts them back, for the calling thread.
  void restore() const noexcept;

  /// The noted mask, as `sigset_t` for `spawn_self`.
  [[nodiscard]] const void* mask() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Returns whether the user has left SIGINT at its default.
[[nodiscard]] bool interrupt_is_default() noexcept;

/// Calls `handler(from_terminal)` in signal context at every SIGINT.
void on_interrupt(void (*handler)(bool from_terminal)) noexcept;

/// Undoes `on_interrupt`, if nobody has set SIGINT otherwise since.
void forget_interrupt() noexcept;

/// Ends this process by SIGINT at its default, so that a shell sees why.
[[noreturn]] void die_of_interrupt() noexcept;

/// Makes SIGINT and SIGQUIT pass this process by: its users end it otherwise.
void ignore_terminal_signals() noexcept;

/// Blocks every signal that can be blocked, in the calling thread.
void block_all_signals() noexcept;

} // namespace troupe::os
