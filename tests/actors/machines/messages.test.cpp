// SPDX-License-Identifier: BSL-1.0

// What a machine and its lead say once it has joined: read as it was written, or
// refused.

#include "message_input.hpp"

#include <doctest/doctest.h>
#include <support/seed.hpp>

#include <random>
#include <span>
#include <vector>

TEST_CASE("a message between machines that was written is read") {
  for (const auto& each : fuzz::right_messages())
    CHECK(fuzz::feed_message(each));
}

TEST_CASE("a message between machines that is cut short is malformed") {
  for (const auto& each : fuzz::right_messages()) {
    // The kind alone is enough for those whose content nobody reads.
    if (each.front() >= 9)
      continue;
    for (std::size_t size = 0; size < each.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(fuzz::feed_message(std::span{each}.first(size)));
    }
  }
}

TEST_CASE(
  "whatever comes from a machine is read or refused, and nothing worse") {
  const auto right = fuzz::right_messages();
  std::minstd_rand random{troupe::test::seed()};
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
    if (!fuzz::feed_message(changed))
      ++refused;
  }
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::uint8_t> noise(number(300));
    for (auto& each : noise)
      each = static_cast<std::uint8_t>(random());
    if (!fuzz::feed_message(noise))
      ++refused;
  }
  CHECK(refused > 5'000);
}
