// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/wait_any.hpp>

#include <chrono>
#include <string>

std::size_t check(const troupe::queue<int>& from, const std::string& text) {
#ifdef TROUPE_CONTROL
  static_cast<void>(text);
  return troupe::wait_any(from, std::chrono::seconds{1});
#else
  return troupe::wait_any(from, text);
#endif
}
