// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/process/exit_status.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// How a child comes to be.
enum class start_method : std::uint32_t {
  /// Forked from the fork server: the program's own image as it is at the
  /// start of `main`, one thread, no exec. The fast one, and the default.
  fork_server,
  /// A fresh execution of the program's own binary.
  spawn,
};

/// Says how the children of this process come to be whose `start_options` say
/// nothing: processes, and also workers of pools, hosts of actors and states.
/// Those of its children are another matter: to say it for all processes of the
/// program, call it before `troupe::program`, which each of them does, too.
/// Python's `set_start_method`. May be called from any thread, at any time.
void set_start_method(start_method method) noexcept;

/// Returns what `set_start_method` said last; `start_method::fork_server` where
/// it never was called.
[[nodiscard]] start_method get_start_method() noexcept;

/// What may be said about a process before it starts.
struct start_options {
  /// Shown in errors and by `ps`, at most 255 bytes. Empty: "process-1" for
  /// the root's first child, "process-1:2" for the second child of that.
  std::string name = {};

  /// A daemon is ended with its parent, however the parent ends; another is
  /// waited for. Unsaid: as the parent is.
  std::optional<bool> daemon = {};

  /// Unsaid: what `get_start_method` returns.
  std::optional<start_method> method = {};
};

/// Looks at a process of the run without owning it: what a child has of its
/// parent, and what may be copied and sent anywhere.
///
/// Once the owner has joined and closed the process, a view still answers: not
/// alive, status unknown (`exit_status::code()` is -255).
class process_view {
public:
  process_view() = default;

  explicit process_view(memory::slot_id id) noexcept : id_(id) {
  }

  /// The process's number; waits until it has one. 0 if it could not be made,
  /// or is gone and forgotten.
  /// @blocks on the fork server, for the time of a fork
  [[nodiscard]] std::int32_t pid() const;

  [[nodiscard]] std::string name() const;

  [[nodiscard]] bool is_daemon() const;

  /// Returns whether the process runs, or is about to.
  [[nodiscard]] bool is_alive() const;

  /// Waits for the end of the process and says how it ended. May be called
  /// any number of times, by any thread of any process.
  /// Throws `would_deadlock` when a process joins itself.
  /// @blocks on the process
  exit_status join() const;

  /// The same with a limit; nothing if it passed first.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<exit_status>
  join_for(const std::chrono::duration<Rep, Period>& limit) const {
    return join_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::optional<exit_status>
  join_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return join_before(deadline::at(limit));
  }

  /// Waits until `limit`; the form that the others are made of.
  [[nodiscard]] std::optional<exit_status> join_before(deadline limit) const;

  /// The status, if the process has ended.
  [[nodiscard]] std::optional<exit_status> status() const {
    return join_before(deadline::now());
  }

  // Signals, and the sentinel: @blocks as `pid` does. Signals return false if
  // the process is gone, and throw `os_failure` (EPERM) if it runs and may not
  // be signalled: it or the caller has another user than at its start.

  /// Asks the process to end: SIGTERM.
  bool terminate() const;

  /// Ends the process: SIGKILL. No handlers run; what it held is given back.
  bool kill() const;

  /// SIGINT, as Ctrl-C would.
  bool interrupt() const;

  bool send_signal(int signal) const;

  /// Opens a descriptor that becomes readable when the process ends; for
  /// `poll` and `epoll`. Throws `os_failure` when there are too many open.
  [[nodiscard]] os::descriptor open_sentinel() const;

  [[nodiscard]] memory::slot_id id() const noexcept {
    return id_;
  }

  void save(codec::encoder& to) const;
  static process_view load(codec::decoder& from);

  friend bool operator==(const process_view&, const process_view&) noexcept
    = default;

private:
  memory::slot_id id_;
};

/// A process that this one has started.
///
/// Like `std::jthread` it does not get lost: the destructor of a handle that
/// was neither closed nor detached joins the process, and first asks a daemon
/// to end (SIGTERM, after the run's grace SIGKILL); one that it may not signal
/// it leaves to the end of the run. Move-only; not to be used from several
/// threads at once, its `view()` may be.
///
/// # What a crash leaves
/// If the parent is killed, its daemons are killed; other children go on, and
/// the root's end waits for them.
class process {
public:
  process() noexcept = default;
  process(process&& other) noexcept;

  /// Ends what this handle had, as the destructor does.
  /// @blocks on that process
  process& operator=(process&& other);
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// @blocks on the process, see above
  ~process();

  /// Adopts a process that `start` has requested.
  explicit process(memory::slot_id id) noexcept : view_(id), owns_(true) {
  }

  /// Returns whether this handle has a process: started, not closed.
  [[nodiscard]] bool joinable() const noexcept {
    return owns_;
  }

  /// What may be copied and given to others. Throws `invalid_state` without a
  /// process; so do all that follow.
  [[nodiscard]] const process_view& view() const;

  [[nodiscard]] std::int32_t pid() const {
    return view().pid();
  }
  [[nodiscard]] std::string name() const {
    return view().name();
  }
  [[nodiscard]] bool is_daemon() const {
    return view().is_daemon();
  }
  [[nodiscard]] bool is_alive() const {
    return view().is_alive();
  }
  exit_status join() const {
    return view().join();
  }
  template <class Rep, class Period>
  [[nodiscard]] std::optional<exit_status>
  join_for(const std::chrono::duration<Rep, Period>& limit) const {
    return view().join_for(limit);
  }
  template <class Clock, class Duration>
  [[nodiscard]] std::optional<exit_status>
  join_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return view().join_until(limit);
  }
  [[nodiscard]] std::optional<exit_status> status() const {
    return view().status();
  }
  bool terminate() const {
    return view().terminate();
  }
  bool kill() const {
    return view().kill();
  }
  bool interrupt() const {
    return view().interrupt();
  }
  bool send_signal(int signal) const {
    return view().send_signal(signal);
  }

  /// A descriptor that becomes readable when the process ends; it belongs to
  /// this handle and is the same at each call.
  [[nodiscard]] int sentinel();

  /// Frees the handle and its place in the process table. Throws
  /// `invalid_state` while the process is alive, and, as `detach`, in a process
  /// that user code has forked off the one that has the handle.
  void close();

  /// Lets the process go on without this handle. A daemon still ends with this
  /// process, another is still waited for at the end of the run.
  void detach();

private:
  void end() noexcept;

  process_view view_;
  bool owns_ = false;
  os::descriptor sentinel_;
};

namespace hosting {

/// Sends a signal to a process of the run, and says what became of it.
/// @blocks as `process_view::pid` does
[[nodiscard]] os::signal_outcome try_signal(const process_view& to,
                                            int signal) noexcept;

} // namespace hosting

// Throw `invalid_state` outside of a run: where there is no `program` yet.

/// The calling process.
[[nodiscard]] process_view current_process();

/// The parent of the calling process; nothing in the root.
[[nodiscard]] std::optional<process_view> parent_process();

/// The children of the calling process that are alive.
[[nodiscard]] std::vector<process_view> active_children();

/// How many processors this process may really use: affinity and the quota of
/// its cgroup are respected. At least 1.
[[nodiscard]] unsigned hardware_concurrency();

} // namespace troupe
