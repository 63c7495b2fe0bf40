// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/boot_clock.hpp>

#include <ctime>

namespace troupe::os {

std::int64_t boot_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace troupe::os
