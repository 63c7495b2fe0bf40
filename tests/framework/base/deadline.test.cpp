// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/deadline.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

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
