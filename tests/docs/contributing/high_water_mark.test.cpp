// SPDX-License-Identifier: BSL-1.0
#include "high_water_mark.hpp"

#include <troupe/os/crash_point.hpp>
#include <troupe/process/program.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>

using troupe::high_water_mark;

namespace {

//[functions
void report_all(high_water_mark mark, std::int64_t first, std::int64_t last) {
  for (auto number = first; number <= last; ++number)
    mark.report(number);
}

void die_in_report(high_water_mark mark, std::int64_t number) {
  troupe::os::arm_crash_point("shared.report.before_exchange");
  mark.report(number);
}
//]

} // namespace

//[cases
TEST_CASE("the greatest of all that several processes report stays") {
  const high_water_mark mark;
  {
    auto low = troupe::start<report_all>(mark, 1, 1000);
    auto high = troupe::start<report_all>(mark, 500, 2000);
  } // the destructors join
  CHECK(mark.highest() == 2000);
  CHECK_FALSE(mark.report(1999));
}

TEST_CASE("a process that is killed while it reports leaves the mark as it "
          "was, and others go on") {
  const high_water_mark mark{7};
  CHECK(troupe::start<die_in_report>(mark, 9).join().signal() == SIGKILL);
  CHECK(mark.highest() == 7);
  CHECK(mark.report(8));
}
//]
