// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/seed.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace troupe::test {

/// Gives `feed` 20,000 of the `right` inputs with one to five bytes changed,
/// and 5,000 of noise. Returns how many of them it has refused, by returning
/// false.
template <class Feed>
[[nodiscard]] int
refused_of_changed(const std::vector<std::vector<std::uint8_t>>& right,
                   Feed feed) {
  std::minstd_rand random{seed()};
  const auto number = [&](std::size_t below) {
    return static_cast<std::size_t>(random()) % below;
  };
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto changed = right[number(right.size())];
    for (auto times = number(5) + 1; times > 0; --times) {
      auto& byte = changed[number(changed.size())];
      byte = number(3) == 0 ? std::uint8_t{0xFF}
                            : static_cast<std::uint8_t>(random());
    }
    refused += feed(changed) ? 0 : 1;
  }
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::uint8_t> noise(number(300));
    for (auto& each : noise)
      each = static_cast<std::uint8_t>(random());
    refused += feed(noise) ? 0 : 1;
  }
  return refused;
}

} // namespace troupe::test
