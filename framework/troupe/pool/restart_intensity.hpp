// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace troupe {

/// How often a supervisor restarts before it gives up, as Erlang counts: more
/// than `most` restarts within `period` are too many. A supervisor with
/// `most` 0 never restarts.
class restart_intensity {
public:
  using clock = std::chrono::steady_clock;

  restart_intensity(std::uint32_t most, clock::duration period)
    : most_(most), period_(period) {
  }

  /// Notes a restart at `now`. Returns false if it is one too many.
  [[nodiscard]] bool note(clock::time_point now) {
    while (!restarts_.empty() && now - restarts_.front() > period_)
      restarts_.pop_front();
    restarts_.push_back(now);
    return restarts_.size() <= most_;
  }

  /// Restarts within the period, as of the last `note`.
  [[nodiscard]] std::size_t count() const noexcept {
    return restarts_.size();
  }

private:
  std::uint32_t most_;
  clock::duration period_;
  std::deque<clock::time_point> restarts_;
};

} // namespace troupe
