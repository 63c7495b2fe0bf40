// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/supervision/restart_report.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace troupe {

/// Who is restarted when one child ends.
enum class strategy : std::uint8_t {
  /// That child.
  one_for_one,
  /// All: the others are ended first, in reverse order.
  one_for_all,
  /// That child and those started after it.
  rest_for_one,
};

/// What may be said about a supervisor.
struct supervisor_options {
  enum strategy strategy = strategy::one_for_one;
  /// More than `intensity` restarts within `period`, which is longer than 0,
  /// are too many.
  std::uint32_t intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds{5};
  /// Called in the supervisor's thread, before the restart; unset, a line on
  /// standard error. What asks the supervisor something in it throws
  /// `would_deadlock`.
  std::function<void(const restart_report&)> report = nullptr;
};

} // namespace troupe
