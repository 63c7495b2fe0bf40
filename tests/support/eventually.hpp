// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <concepts>
#include <thread>

namespace troupe::test {

/// Waits until `condition()` is true, under a watchdog: returns false if it is
/// not true after `limit`. Generous, because sanitizers and busy machines are
/// slow; a healthy test never waits that long.
template <std::predicate Condition>
[[nodiscard]] bool
eventually(Condition condition,
           std::chrono::milliseconds limit = std::chrono::seconds{20}) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
  return true;
}

} // namespace troupe::test
