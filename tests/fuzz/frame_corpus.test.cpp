// SPDX-License-Identifier: BSL-1.0

// What the fuzzer does, for a moment and without a fuzzer: right frames, every
// shortening of them, and many with bytes changed.

#include "frame_input.hpp"

#include <troupe/transport/dead_letters.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <random>

TEST_CASE("right frames are taken") {
  for (const auto& each : fuzz::right_frames())
    fuzz::feed(each);
  CHECK(true);
}

TEST_CASE("every shortening of a right frame is an error and nothing worse") {
  for (const auto& each : fuzz::right_frames())
    for (std::size_t size = 0; size < each.size(); ++size)
      fuzz::feed(std::span{each}.first(size));
  CHECK(true);
}

TEST_CASE("changed frames are errors and nothing worse") {
  const auto frames = fuzz::right_frames();
  std::minstd_rand random{11};
  const auto number = [&](std::size_t below) {
    return static_cast<std::size_t>(random()) % below;
  };
  for (int round = 0; round < 4000; ++round) {
    auto changed = frames[number(frames.size())];
    for (auto times = number(6) + 1; times > 0; --times) {
      auto& byte = changed[number(changed.size())];
      switch (number(4)) {
        case 0: byte = 0xFF; break;
        case 1: byte = 0; break;
        case 2:
          byte = static_cast<std::uint8_t>(byte ^ (1U << number(8)));
          break;
        default: byte = static_cast<std::uint8_t>(random());
      }
    }
    // No exit messages to the listener: it should live to the end.
    fuzz::feed(changed);
  }
  CHECK(true);
}

TEST_CASE("noise is an error and nothing worse") {
  std::minstd_rand random{12};
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> noise(random() % 300);
    for (auto& each : noise)
      each = static_cast<std::uint8_t>(random());
    fuzz::feed(noise);
  }
  CHECK(troupe::dead_letters() < 1'000'000);
}
