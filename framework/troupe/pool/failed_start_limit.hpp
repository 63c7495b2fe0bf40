// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/restart_intensity.hpp>
#include <troupe/pool/restart_report.hpp>

#include <chrono>
#include <cstdint>

namespace troupe {

struct pool_options;

namespace pooling {

/// Workers that end before they have run a task, or are not made at all: how
/// many are too many for a pool. See `pool_options::intensity`.
class failed_start_limit {
public:
  enum class cause : std::uint8_t {
    /// It ended of itself: its initialiser threw, or it crashed.
    crashed,
    /// SIGKILL. A hundred times as many are allowed: on a busy machine a dozen
    /// in a row may be killed from outside while they start.
    killed,
    /// It was not made: no memory, no place, no process. It is tried again later
    /// and later, so only those in a row count.
    not_made,
  };

  /// @pre `options.size` is not 0
  explicit failed_start_limit(const pool_options& options);

  /// Notes one. Returns false if it is one too many, within the period or in a
  /// row.
  [[nodiscard]] bool note(cause why, restart_intensity::clock::time_point now);

  /// A worker has run a task: the row is over.
  void end_row() noexcept {
    row_ = 0;
  }

private:
  static constexpr std::uint32_t killed_per_crash = 100;

  std::uint64_t most_;
  restart_intensity crashes_;
  restart_intensity kills_;
  /// Those in a row, a crash as a hundred kills.
  std::uint64_t row_ = 0;
};

/// A line on standard error: what a pool does where it has no `report`.
void print_end(const restart_report& of);

} // namespace pooling

} // namespace troupe
