// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/deadline.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <stdexcept>

using namespace std::chrono_literals;
using troupe::deadline;

TEST_CASE("a deadline that never passes does not") {
  CHECK_FALSE(deadline::never().passed());
  CHECK(deadline::never().is_never());
  CHECK(deadline::never().left() == deadline::clock::duration::max());
}

TEST_CASE("now, nothing and less than nothing have passed") {
  CHECK(deadline::now().passed());
  CHECK(deadline::after(0s).passed());
  CHECK(deadline::after(-5s).passed());
  CHECK(deadline::after(-1.5s).left() == 0s);
}

TEST_CASE("what is too long to count is never") {
  CHECK(deadline::after(std::chrono::hours::max()).is_never());
  CHECK(deadline::after(std::chrono::nanoseconds::max()).is_never());
  CHECK(deadline::after(
          std::chrono::duration<double>{std::numeric_limits<double>::max()})
          .is_never());
}

TEST_CASE("a deadline counts down to its point") {
  const auto limit = deadline::after(1h);
  CHECK_FALSE(limit.passed());
  CHECK(limit.left() > 59min);
  CHECK(limit.left() <= 1h);
  CHECK(deadline::after(0.5s).left() <= 500ms);
  CHECK(deadline::at(deadline::clock::now() - 1ms).passed());
  CHECK(deadline::now() < limit);
  CHECK(limit < deadline::never());
}

TEST_CASE("the point of another clock is translated") {
  const auto limit = deadline::at(std::chrono::system_clock::now() + 1h);
  CHECK(limit.left() > 59min);
  CHECK(limit.left() < 61min);
  CHECK(deadline::at(std::chrono::system_clock::now() - 1h).passed());
  CHECK(deadline::at(std::chrono::system_clock::time_point::min()).passed());
}

namespace {

/// What a deadline must be, said without a clock.
enum class is { passed, to_come, never };

is kind_of(deadline limit) {
  if (limit.is_never())
    return limit.left() == deadline::clock::duration::max() ? is::never
                                                            : is::passed;
  if (limit.passed() != (limit.left() == 0s))
    throw std::logic_error{"passed, and something left"};
  return limit.passed() ? is::passed : is::to_come;
}

template <class Clock, class Duration>
std::chrono::time_point<Clock, Duration> from_now(Duration by) {
  return std::chrono::time_point_cast<Duration>(Clock::now()) + by;
}

/// Points and durations of one type, near and as far as the type goes.
template <class Duration>
void goes_to_its_ends(const char* name) {
  CAPTURE(name);
  using steady = std::chrono::time_point<std::chrono::steady_clock, Duration>;
  using system = std::chrono::time_point<std::chrono::system_clock, Duration>;
  CHECK(kind_of(deadline::after(Duration::max())) == is::never);
  CHECK(kind_of(deadline::after(Duration::min())) == is::passed);
  CHECK(kind_of(deadline::at(steady::max())) == is::never);
  CHECK(kind_of(deadline::at(steady::min())) == is::passed);
  CHECK(kind_of(deadline::at(system::max())) == is::never);
  CHECK(kind_of(deadline::at(system::min())) == is::passed);
  const auto two_hours = std::chrono::ceil<Duration>(2h);
  CHECK(kind_of(deadline::after(two_hours)) == is::to_come);
  CHECK(kind_of(deadline::at(
          from_now<std::chrono::steady_clock, Duration>(two_hours)))
        == is::to_come);
  CHECK(kind_of(deadline::at(
          from_now<std::chrono::system_clock, Duration>(two_hours)))
        == is::to_come);
  CHECK(kind_of(deadline::at(
          from_now<std::chrono::system_clock, Duration>(-two_hours)))
        == is::passed);
}

} // namespace

TEST_CASE("durations and points of every type go as far as their type does") {
  goes_to_its_ends<std::chrono::seconds>("seconds");
  goes_to_its_ends<std::chrono::minutes>("minutes");
  goes_to_its_ends<std::chrono::hours>("hours");
  goes_to_its_ends<std::chrono::milliseconds>("milliseconds");
  goes_to_its_ends<std::chrono::microseconds>("microseconds");
  goes_to_its_ends<std::chrono::duration<double>>("seconds, double");
  goes_to_its_ends<std::chrono::duration<double, std::nano>>("ns, double");
  goes_to_its_ends<std::chrono::duration<float, std::ratio<3600>>>("h, float");
  goes_to_its_ends<std::chrono::duration<long double>>("s, long double");
  goes_to_its_ends<
    std::chrono::duration<std::int64_t, std::ratio<86400 * 365>>>("years");
}

TEST_CASE("the ends of the clock itself, and beyond") {
  using point = deadline::clock::time_point;
  CHECK(kind_of(deadline::at(point::max())) == is::never);
  CHECK(kind_of(deadline::at(point::max() - 1ns)) == is::to_come);
  CHECK(kind_of(deadline::at(point::min())) == is::passed);
  CHECK(kind_of(deadline::at(point::min() + 1ns)) == is::passed);
  using real = std::chrono::duration<double>;
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  CHECK(kind_of(deadline::after(real{infinite})) == is::never);
  CHECK(kind_of(deadline::after(real{-infinite})) == is::passed);
  CHECK(kind_of(deadline::after(real{std::numeric_limits<double>::quiet_NaN()}))
        == is::passed);
  // Just beyond what the clock can count, seen through another type.
  const auto room = point::max() - deadline::clock::now();
  CHECK(
    kind_of(deadline::after(std::chrono::ceil<std::chrono::microseconds>(room)))
    == is::never);
}

TEST_CASE("a limit is never shorter than it says") {
  using coarse = std::chrono::time_point<deadline::clock, std::chrono::seconds>;
  CHECK(deadline::at(coarse{5s}).when() == deadline::clock::time_point{5s});
  using fine = std::chrono::duration<std::int64_t, std::pico>;
  const std::chrono::time_point<deadline::clock, fine> between{fine{1}};
  CHECK(deadline::at(between).when() == deadline::clock::time_point{1ns});
}
