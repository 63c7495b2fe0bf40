// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/progress_bar.hpp>

#include <doctest/doctest.h>

#include <string>

using troupe::progress_bar;

TEST_CASE("a progress bar's line shows share, percentage and numbers") {
  CHECK(progress_bar::line("drops", 1, 4)
        == "drops [" + std::string(10, '#') + std::string(30, ' ')
             + "] 25% 1/4");
  CHECK(progress_bar::line("", 4, 4)
        == "[" + std::string(40, '#') + "] 100% 4/4");
}

TEST_CASE("no tasks at all are all done") {
  CHECK(progress_bar::line("", 0, 0)
        == "[" + std::string(40, '#') + "] 100% 0/0");
}
