// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace troupe {

/// Until when a wait may last: a point of the steady clock, or never.
///
/// Every blocking call takes its limit as this one type inside, so that a call
/// made of several waits keeps one limit for all of them. A negative duration
/// counts as zero, as in Python.
class deadline {
public:
  using clock = std::chrono::steady_clock;

  /// A deadline that never passes.
  [[nodiscard]] static constexpr deadline never() noexcept {
    return deadline{clock::time_point::max()};
  }

  /// A deadline that has passed already: look once, do not wait.
  [[nodiscard]] static constexpr deadline now() noexcept {
    return deadline{clock::time_point::min()};
  }

  /// The deadline `duration` from now; too large a duration means never.
  template <class Rep, class Period>
  [[nodiscard]] static deadline
  after(const std::chrono::duration<Rep, Period>& duration) {
    if (duration <= duration.zero())
      return now();
    const auto start = clock::now();
    const std::chrono::duration<double> wanted = duration;
    const std::chrono::duration<double> room = clock::time_point::max() - start;
    if (wanted >= room)
      return never();
    return deadline{start
                    + std::chrono::duration_cast<clock::duration>(duration)};
  }

  /// The deadline at `when` of any clock, translated to the steady clock now.
  template <class Clock, class Duration>
  [[nodiscard]] static deadline
  at(const std::chrono::time_point<Clock, Duration>& when) {
    if constexpr (std::is_same_v<Clock, clock>)
      return deadline{when};
    else if (const auto start = Clock::now(); when <= start)
      return now();
    else
      return after(when - start);
  }

  [[nodiscard]] constexpr bool is_never() const noexcept {
    return when_ == clock::time_point::max();
  }

  [[nodiscard]] bool passed() const noexcept {
    return !is_never()
           && (when_ == clock::time_point::min() || clock::now() >= when_);
  }

  /// Time left, zero when passed. For `never()` the largest duration.
  [[nodiscard]] clock::duration left() const noexcept {
    if (is_never())
      return clock::duration::max();
    if (when_ == clock::time_point::min())
      return clock::duration::zero();
    const auto rest = when_ - clock::now();
    return rest < clock::duration::zero() ? clock::duration::zero() : rest;
  }

  [[nodiscard]] constexpr clock::time_point when() const noexcept {
    return when_;
  }

  friend constexpr auto operator<=>(deadline, deadline) noexcept = default;

private:
  constexpr explicit deadline(clock::time_point when) noexcept : when_(when) {
  }

  clock::time_point when_;
};

} // namespace troupe
