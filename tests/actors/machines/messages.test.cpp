// SPDX-License-Identifier: BSL-1.0

// What a machine and its lead say once it has joined: read as it was written,
// or refused.

#include "message_input.hpp"

#include <doctest/doctest.h>
#include <support/changed_bytes.hpp>

#include <span>

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
  const auto refused = troupe::test::refused_of_changed(
    fuzz::right_messages(),
    [](const auto& input) { return fuzz::feed_message(input); });
  CHECK(refused > 5'000);
}
