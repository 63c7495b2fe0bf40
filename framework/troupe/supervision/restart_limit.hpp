// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace troupe::supervision {

using clock = std::chrono::steady_clock;

/// Why a child is not there any more.
enum class end_cause : std::uint8_t {
  /// It ended in order.
  by_itself,
  /// It failed.
  crashed,
  /// SIGKILL ended its process.
  killed,
  /// Its start failed.
  not_made,
};

/// How many restarts are too many.
struct restart_limits {
  /// More than `most` within `period`, as Erlang counts. 0: none is allowed.
  std::uint64_t most = 1;
  clock::duration period = std::chrono::seconds{5};

  /// Set for a pool. More than `most` ends in a row, with no child at work
  /// between, are too many as well, however slow the starts are. Of those
  /// killed a hundred times as many are allowed: on a busy machine a dozen in a
  /// row may be killed from outside while they start. A start that fails is
  /// tried again later and later, so it counts in the row only.
  bool in_a_row = false;
};

/// Counts restarts. Knows no clock but what it is told.
class restart_limit {
public:
  explicit restart_limit(const restart_limits& limits) : limits_(limits) {
  }

  /// Notes a restart at `now`. Returns false if it is one too many.
  [[nodiscard]] bool note(end_cause why, clock::time_point now);

  /// A child has done its work: the row is over.
  void end_row() noexcept {
    row_ = 0;
  }

  /// Restarts within the period, as of the last `note`.
  [[nodiscard]] std::size_t count() const noexcept {
    return restarts_.size();
  }

private:
  static constexpr std::uint64_t killed_per_crash = 100;

  using times = std::deque<clock::time_point>;

  /// Returns how many there are within the period.
  std::size_t add(times& to, clock::time_point now) const;

  restart_limits limits_;
  times restarts_;
  times kills_;
  /// Those in a row, a crash as a hundred kills.
  std::uint64_t row_ = 0;
};

} // namespace troupe::supervision
