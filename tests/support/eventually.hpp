// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/patience.hpp>

#include <chrono>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <thread>
#include <utility>

namespace troupe::test {

/// Waits until `condition()` is true, under a watchdog: returns false if it is
/// not true after `limit`, times `patience()`. Generous, because sanitizers and
/// busy machines are slow; a healthy test never waits that long. `pause` lies
/// between two looks.
template <std::predicate Condition>
[[nodiscard]] bool
eventually(Condition condition,
           std::chrono::milliseconds limit = std::chrono::seconds{20},
           std::chrono::microseconds pause = std::chrono::microseconds{200}) {
  const auto end = std::chrono::steady_clock::now() + limit * patience();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    // Time: between two looks.
    std::this_thread::sleep_for(pause);
  }
  return true;
}

/// The same for a process that checks nothing: it aborts after `limit`, and
/// says where. Who joins it sees that in its status.
template <std::predicate Condition>
void await(Condition condition,
           std::chrono::milliseconds limit = std::chrono::seconds{60},
           const std::source_location& where
           = std::source_location::current()) {
  if (eventually(std::move(condition), limit))
    return;
  std::fprintf(stderr, "%s:%u: awaited in vain\n", where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

} // namespace troupe::test
