// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/wait_any.hpp>

#include <chrono>
#include <vector>

auto check(const std::vector<troupe::future<int>>& results) {
#ifdef TROUPE_CONTROL
  return troupe::wait_any(results, std::chrono::seconds{5});
#else
  return troupe::wait_any(results, 5);
#endif
}
