// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <type_traits>

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
    const auto wanted = in_ticks(duration);
    if (wanted <= wanted.zero())
      return now();
    const auto start = clock::now();
    if (wanted >= clock::time_point::max() - start)
      return never();
    return deadline{start + wanted};
  }

  /// The deadline at `when` of any clock, translated to the steady clock now;
  /// too far a point means never.
  template <class Clock, class Duration>
  [[nodiscard]] static deadline
  at(const std::chrono::time_point<Clock, Duration>& when) {
    const auto wanted = in_ticks(when.time_since_epoch());
    if constexpr (std::is_same_v<Clock, clock>) {
      return deadline{clock::time_point{wanted}};
    } else {
      const auto start = in_ticks(Clock::now().time_since_epoch());
      if (wanted <= start)
        return now();
      if (wanted == wanted.max()
          || (start < start.zero() && wanted > wanted.max() + start))
        return never();
      return after(wanted - start);
    }
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
    const auto start = clock::now();
    // One that has passed may lie farther back than can be counted.
    return when_ > start ? when_ - start : clock::duration::zero();
  }

  [[nodiscard]] constexpr clock::time_point when() const noexcept {
    return when_;
  }

  friend constexpr auto operator<=>(deadline, deadline) noexcept = default;

private:
  /// Rounded up; what is too far to count, or no number, becomes the farthest.
  template <class Rep, class Period>
  [[nodiscard]] static constexpr clock::duration
  in_ticks(const std::chrono::duration<Rep, Period>& of) {
    if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>,
                                 clock::duration>) {
      return of;
    } else {
      using seconds = std::chrono::duration<double>;
      // One less: near the end a double is exact to a microsecond only.
      constexpr seconds farthest = seconds{clock::duration::max()}
                                   - std::chrono::seconds{1};
      const seconds rough = of;
      if (rough >= farthest)
        return clock::duration::max();
      if (!(rough > -farthest))
        return clock::duration::min();
      return std::chrono::ceil<clock::duration>(of);
    }
  }

  constexpr explicit deadline(clock::time_point when) noexcept : when_(when) {
  }

  clock::time_point when_;
};

} // namespace troupe
