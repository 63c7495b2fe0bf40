// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "suite.hpp"

#include <troupe/process/process.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace bench {

/// The time in which several processes do the same and count it: `phase` is 0
/// before it, 1 in it, 2 after it; a count is -1 once its process is ready.
struct stretch {
  troupe::value<int> phase;
  troupe::array<long> counts;
};

/// Does `step` from the beginning of the stretch to its end.
template <class Step>
void take_part(const stretch& in, std::size_t me, Step step) {
  in.counts.atomic(me).store(-1);
  while (in.phase.load() == 0)
    std::this_thread::yield();
  long done = 0;
  for (; in.phase.load(std::memory_order_relaxed) == 1; ++done)
    step(done);
  in.counts.atomic(me).store(done);
}

struct turnout {
  /// Steps a second, of all together.
  double rate;
  /// The slowest process beside the mean.
  double fairness;
};

/// `start(in, me)` starts a process that takes part.
template <class Start>
turnout together(std::size_t processes, double seconds, Start start) {
  const stretch in{troupe::value<int>{0}, troupe::array<long>(processes)};
  std::vector<troupe::process> all;
  for (std::size_t i = 0; i < processes; ++i)
    all.push_back(start(in, i));
  for (std::size_t i = 0; i < processes; ++i)
    while (in.counts.atomic(i).load() == 0)
      std::this_thread::yield();
  const auto began = clock_type::now();
  in.phase.store(1);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  in.phase.store(2);
  const auto took = seconds_since(began);
  all.clear();
  long sum = 0;
  for (const long each : in.counts)
    sum += each;
  const auto slowest = static_cast<double>(
    *std::min_element(in.counts.begin(), in.counts.end()));
  return {static_cast<double>(sum) / took,
          slowest * static_cast<double>(processes) / static_cast<double>(sum)};
}

} // namespace bench
