// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>

namespace troupe::test {

/// How many times as long as usual a watchdog waits. `tools/test` sets it in
/// the environment, TROUPE_TEST_PATIENCE, where tests get less of the
/// processors than a program on an idle machine would: beside other work, and
/// under `nice`.
[[nodiscard]] inline int patience() {
  static const int factor = [] {
    const char* const text = std::getenv("TROUPE_TEST_PATIENCE");
    const int wanted = text == nullptr ? 1 : std::atoi(text);
    return wanted < 1 ? 1 : wanted;
  }();
  return factor;
}

} // namespace troupe::test
