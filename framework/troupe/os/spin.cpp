// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/spin.hpp>

#include <chrono>

#include <sched.h>

namespace troupe::os {

void yield() noexcept {
  ::sched_yield();
}

void spinning::yield_in_time() noexcept {
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  yield();
  yielded_ += std::chrono::nanoseconds{clock::now() - start}.count();
  if (yielded_ > longest_yields)
    turn_ = how_.pauses;
}

} // namespace troupe::os
