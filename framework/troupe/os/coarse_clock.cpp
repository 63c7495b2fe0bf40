// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/coarse_clock.hpp>

#include <ctime>

namespace troupe::os {

std::int64_t coarse_now() noexcept {
  timespec now{};
  // CLOCK_MONOTONIC is what steady_clock shows on Linux.
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace troupe::os
