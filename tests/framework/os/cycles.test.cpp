// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/cycles.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace std::chrono_literals;

TEST_CASE("a rate that is asked at once is near to what the clocks say") {
  const auto at_once = troupe::os::cycle_rate{}.cycles_in(1ms);
  const auto clock = [] { return std::chrono::steady_clock::now(); };
  const auto start = clock();
  const auto start_cycles = troupe::os::cycles();
  // Time: that both clocks measure.
  std::this_thread::sleep_for(20ms);
  const auto cycles = troupe::os::cycles() - start_cycles;
  const std::chrono::duration<double, std::milli> passed = clock() - start;
  const auto measured = static_cast<double>(cycles) / passed.count();
  CHECK(static_cast<double>(at_once) > measured / 4);
  CHECK(static_cast<double>(at_once) < measured * 4);
}
