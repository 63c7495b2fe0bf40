// SPDX-License-Identifier: BSL-1.0

// A long life: what joins, calls, losses and events leave at a lead and at a
// machine, in descriptors, threads and memory.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/sanitized.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace troupe::test;

namespace {

/// What `text` tells to be left of `what`: "memory", behind "left at the lead:
/// ".
std::int64_t left(const std::string& text, const std::string& where,
                  const std::string& what) {
  const auto line = text.find("left at the " + where + ": ");
  REQUIRE(line != std::string::npos);
  return std::strtoll(word_behind(text.substr(line), what + ' ').c_str(),
                      nullptr, 10);
}

/// Without the allocator's store of freed memory of each thread, tens of KB
/// which count as taken.
launch_options counted() {
  auto made = with_key();
  made.environment.emplace_back("GLIBC_TUNABLES=glibc.malloc.tcache_count=0");
  return made;
}

/// A sanitizer keeps what was freed for a while.
void check_little_left(const std::string& text, const std::string& where,
                       std::int64_t memory) {
  // Fewer, where on a busy machine the last connection of the first ones had
  // not gone yet when they were counted. What each leaves would be dozens.
  CHECK(left(text, where, "descriptors") <= 0);
  CHECK(left(text, where, "threads") <= 0);
  if (!sanitized)
    CHECK(left(text, where, "memory") < memory);
  MESSAGE("memory left at the ", where, ": ", left(text, where, "memory"),
          " bytes");
}

} // namespace

TEST_CASE("machines that join, leave and are lost leave nothing at the lead") {
  // The first ones fill what is allocated once and kept.
  constexpr int first = 8;
  constexpr int more = 30;
  leading lead{{"rounds", std::to_string(first), std::to_string(more)},
               {},
               "machine_role",
               counted()};
  for (int i = 0; i < first + more; ++i) {
    joining kitchen{lead.where()};
    REQUIRE(kitchen.joins());
    static_cast<void>(kitchen.wait());
    CHECK(leaves_nothing(kitchen.run()));
  }
  CHECK(exited_with(lead.wait(), 0));
  // Each had a connection, an introduction, calls and events: 2 KB at the
  // least.
  check_little_left(lead.output(), "lead", more * 512);
  CHECK(leaves_nothing(lead.run()));
}

TEST_CASE("calls leave nothing at the lead and nothing at the machine") {
  constexpr int more = 600;
  leading lead{
    {"calls", "200", std::to_string(more)}, {}, "machine_role", counted()};
  joining kitchen{lead.where()};
  REQUIRE(kitchen.joins());
  CHECK(exited_with(lead.wait(), 0));
  check_little_left(lead.output(), "lead", more * 32);
  check_little_left(lead.output(), "machine", more * 512);
  CHECK(exited_with(kitchen.wait(), 0));
}

TEST_CASE(
  "actors that come and go leave nothing at the lead and nothing at the "
  "machine") {
  constexpr int more = 200;
  leading lead{
    {"rounds", "100", std::to_string(more)}, {}, "actor_role", counted()};
  joining kitchen{lead.where(), {}, "actor_role"};
  REQUIRE(kitchen.joins());
  CHECK(exited_with(lead.wait(), 0));
  // The reasons of the last 4,096 ends are kept, two in each round. What else
  // there is of an actor has some 100 bytes at the least.
  check_little_left(lead.output(), "lead", more * 240);
  check_little_left(lead.output(), "machine", more * 1'024);
  CHECK(exited_with(kitchen.wait(), 0));
}
