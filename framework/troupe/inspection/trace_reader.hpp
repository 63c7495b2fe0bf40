// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/inspection/run_file.hpp>
#include <troupe/inspection/snapshot.hpp>
#include <troupe/memory/trace.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::inspection {

/// Something that has happened in a run, see `memory::trace_kind`.
struct traced_event {
  memory::trace_kind kind = memory::trace_kind::none;
  /// In the order of all events.
  std::uint64_t number = 0;
  time_point when;
  std::uint32_t slot = 0;
  std::int32_t thread = 0;
  /// Of a wait: what kind it is, and for what; nothing if that is not known.
  memory::wait_kind wait = memory::wait_kind::none;
  std::optional<wait_target> target;
  /// Of a task: the function's name, if it is known.
  std::string function;
  /// Of an actor: its number.
  std::uint64_t actor = 0;
  /// What both ends of an arrow have: of a chunk of tasks, of a start.
  std::uint64_t link = 0;
  /// Of a process's name: a part of it, and which.
  std::string name;
  std::uint32_t part = 0;
};

/// Reads what happens in a run. As long as there is one that is asked again and
/// again, the run's processes write events, into memory of the run that is
/// taken for it: 2 MiB at most. That they are to do so is the only thing that
/// is ever written into a run from outside.
///
/// # What a crash leaves
/// The time until which events are written, which passes.
class trace_reader {
public:
  /// From now on events are written. `file` is as for `look_at`.
  /// Throws `invalid_state` (another layout, no run's memory), `os_failure` (it
  /// may not be written).
  explicit trace_reader(const os::descriptor& file);

  trace_reader(const trace_reader&) = delete;
  trace_reader& operator=(const trace_reader&) = delete;

  /// From now on no events are written.
  ~trace_reader();

  /// Takes what has happened since, in order; to be called at least ten times a
  /// second. Does not wait.
  [[nodiscard]] std::vector<traced_event> take();

  /// Events that were overwritten before they were taken.
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_;
  }

private:
  void prolong() const;
  [[nodiscard]] traced_event decode(const memory::trace_event& event) const;

  static run_file opened(int fd);

  os::descriptor file_;
  run_file run_;
  std::uint64_t next_ = 0;
  std::uint64_t lost_ = 0;
};

} // namespace troupe::inspection
