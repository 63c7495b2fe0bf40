// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

namespace troupe::test {

/// What a test's random numbers begin with: TROUPE_SEED if that is set, another
/// number at each run otherwise. It is told, so that a failure can be repeated.
inline unsigned seed() {
  static const unsigned chosen = [] {
    const char* given = std::getenv("TROUPE_SEED");
    const auto value = given != nullptr ? static_cast<unsigned>(
                                            std::strtoul(given, nullptr, 10))
                                        : std::random_device{}();
    MESSAGE("TROUPE_SEED=" << value);
    return value;
  }();
  return chosen;
}

} // namespace troupe::test
