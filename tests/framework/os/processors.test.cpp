// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/processors.hpp>

#include <doctest/doctest.h>

#include <thread>

#include <sched.h>

TEST_CASE("there is a processor, and no more than the machine has") {
  CHECK(troupe::os::available_processors() >= 1);
  CHECK(troupe::os::available_processors()
        <= std::thread::hardware_concurrency());
}

TEST_CASE("a process that is bound to one processor has one") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  int first = 0;
  while (!CPU_ISSET(first, &before))
    ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(troupe::os::available_processors() == 1);
  CHECK(::sched_setaffinity(0, sizeof before, &before) == 0);
}
