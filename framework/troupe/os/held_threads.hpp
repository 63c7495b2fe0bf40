// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

// A signal at its default ends all threads of a process at once. A process that
// has to do something before it dies of the signal holds its threads instead:
// each stays where it next wakes from a sleep of this layer, so that it does
// not act on the end of other processes.

/// From now on every thread of this process that `stay_if_held` is called in
/// stays there. May be called from a signal handler.
void hold_threads() noexcept;

/// Returns whether `hold_threads` was called.
[[nodiscard]] bool holds_threads() noexcept;

/// Does not return if threads are held, but for those that run on. One relaxed
/// load otherwise. Called at the end of each sleep of this layer, and by
/// whoever is about to report the end of another process.
void stay_if_held() noexcept;

/// The calling thread is one of the library's own, and is never held.
void let_this_thread_run_on() noexcept;

/// While it lives the calling thread is not held: it does the library's work.
class running_on {
public:
  running_on() noexcept;
  ~running_on();
  running_on(const running_on&) = delete;
  running_on& operator=(const running_on&) = delete;

private:
  bool before_;
};

} // namespace troupe::os
