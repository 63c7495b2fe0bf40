// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

namespace troupe::os {

/// The signal mask of a thread, and whether SIGINT, SIGQUIT, SIGTERM and
/// SIGCHLD were ignored: what a child must find as the user left it.
class signal_settings {
public:
  /// Notes the settings of the calling thread.
  signal_settings();
  ~signal_settings();
  signal_settings(const signal_settings&) = delete;
  signal_settings& operator=(const signal_settings&) = delete;

  /// Puts them back, for the calling thread.
  void restore() const noexcept;

  /// The same, but that SIGINT and SIGTERM wait until `let_come`, also in an
  /// image that this process executes.
  void restore_but_hold() const noexcept;

  /// Whether the noted mask lets `signal` come.
  [[nodiscard]] bool lets_come(int signal) const noexcept;

  /// The noted mask, as `sigset_t` for `spawn_self`.
  [[nodiscard]] const void* mask() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// What a process does when `signal` comes.
enum class disposition { usual, ignored, handled };
[[nodiscard]] disposition disposition_of(int signal) noexcept;

/// Calls `handler(signal, from_terminal)` in signal context whenever `signal`
/// comes. The last handler of a signal counts.
void on_signal(int signal,
               void (*handler)(int signal, bool from_terminal)) noexcept;

/// Undoes `on_signal`, if nobody has set `signal` otherwise since.
void forget_signal(int signal) noexcept;

/// Ends this process by `signal` at its default, so that a shell sees why. The
/// first process of a PID namespace, which the kernel spares, exits with 128
/// and the signal's number.
[[noreturn]] void die_of(int signal) noexcept;

/// The same from within a handler of `signal`: once that has returned.
void die_of_after_handler(int signal) noexcept;

/// Makes SIGINT, SIGQUIT and SIGTERM pass this process by: its users end it
/// otherwise. A process that is forked off it has them, if they come before it
/// has restored its own mask, when it does.
void block_signals_to_end() noexcept;

/// Has the calling thread take `signal` from now on, also where it has come
/// while the thread blocked it.
void let_come(int signal) noexcept;

/// Returns whether `signal` has come to the calling thread or its process,
/// which blocks it.
[[nodiscard]] bool is_pending(int signal) noexcept;

/// Blocks every signal that can be blocked, in the calling thread, which is one
/// of the library's own and is never held (see `hold_threads`).
void block_all_signals() noexcept;

} // namespace troupe::os
