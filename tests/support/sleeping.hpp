// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include <unistd.h>

namespace troupe::test {

/// Sleeps until a signal ends the process: what a process does that is to be
/// killed, or stopped, or waited for.
[[noreturn]] inline void sleep_for_ever() {
  for (;;)
    ::pause();
}

/// Sleeps for less than `most`, as `random` says: the moment of a kill is the
/// input of its test.
template <class Random>
void sleep_at_random(Random& random, std::chrono::microseconds most) {
  // Time: the input of the test.
  std::this_thread::sleep_for(
    std::chrono::microseconds{static_cast<std::int64_t>(
      random() % static_cast<std::uint64_t>(most.count()))});
}

} // namespace troupe::test
