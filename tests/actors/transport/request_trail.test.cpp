// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/request_trail.hpp>

#include <troupe/transport/caf_error.hpp>

#include <support/seed.hpp>

#include <caf/init_global_meta_objects.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace {

using troupe::memory::slot_id;
using troupe::transport::request_trail;

slot_id process(std::uint32_t number) {
  return {number, 1};
}

const auto death = [] {
  // The destructor of an error looks into CAF's tables, which have to be older.
  caf::core::init_global_meta_objects();
  return troupe::transport::make_error(troupe::errc::peer_died, "dead");
}();

using notice = std::function<void(request_trail&)>;

/// The notices of a request that goes from process 1 over `last - 1` others to
/// `last`.
std::vector<notice> way_to(std::uint32_t last) {
  std::vector<notice> result;
  for (std::uint32_t i = 1; i < last; ++i) {
    result.emplace_back(
      [i](request_trail& of) { of.announced(process(i), process(i + 1)); });
    result.emplace_back(
      [i](request_trail& of) { of.arrived(process(i), process(i + 1)); });
  }
  return result;
}

} // namespace

TEST_CASE("in whatever order notices come, the last holder counts") {
  std::mt19937 random{troupe::test::seed()};
  for (const std::uint32_t last : {1U, 2U, 3U, 5U, 8U})
    for (int round = 0; round < 200; ++round) {
      auto notices = way_to(last);
      std::ranges::shuffle(notices, random);
      request_trail trail{process(1)};
      for (const auto& each : notices) {
        each(trail);
        // Nobody is dead.
        CHECK(!trail.is_lost());
      }
      std::vector<slot_id> to_ask;
      for (std::uint32_t i = 1; i < last; ++i)
        trail.died(process(i), death, to_ask);
      CHECK(to_ask.empty());
      CHECK(!trail.is_lost());
      trail.died(process(last), death, to_ask);
      CHECK(trail.is_lost());
      CHECK(trail.reason() == death);
    }
}

TEST_CASE("a request that goes in circles is where it went last") {
  std::mt19937 random{troupe::test::seed()};
  for (int round = 0; round < 200; ++round) {
    // 1, 2, 1, 3, 2
    const std::uint32_t way[] = {1, 2, 1, 3, 2};
    std::vector<notice> notices;
    for (std::size_t i = 0; i + 1 < std::size(way); ++i) {
      notices.emplace_back([from = way[i], to = way[i + 1]](request_trail& of) {
        of.announced(process(from), process(to));
      });
      notices.emplace_back([from = way[i], to = way[i + 1]](request_trail& of) {
        of.arrived(process(from), process(to));
      });
    }
    std::ranges::shuffle(notices, random);
    request_trail trail{process(1)};
    for (const auto& each : notices)
      each(trail);
    std::vector<slot_id> to_ask;
    trail.died(process(1), death, to_ask);
    trail.died(process(3), death, to_ask);
    CHECK(!trail.is_lost());
    trail.died(process(2), death, to_ask);
    CHECK(trail.is_lost());
  }
}

TEST_CASE(
  "what the dead has announced is asked for, and lost if it never came") {
  for (const bool came : {true, false}) {
    request_trail trail{process(1)};
    trail.announced(process(1), process(2));
    std::vector<slot_id> to_ask;
    trail.died(process(1), death, to_ask);
    REQUIRE(to_ask.size() == 1);
    CHECK(to_ask[0] == process(2));
    CHECK(!trail.is_lost());
    if (came)
      trail.arrived(process(1), process(2));
    trail.settled(process(1), process(2));
    CHECK(trail.is_lost() != came);
  }
}

TEST_CASE("a notice that was lost is made up for by the one of the arrival") {
  request_trail trail{process(1)};
  trail.arrived(process(1), process(2));
  std::vector<slot_id> to_ask;
  trail.died(process(1), death, to_ask);
  CHECK(to_ask.empty());
  CHECK(!trail.is_lost());
  trail.died(process(2), death, to_ask);
  CHECK(trail.is_lost());
}

TEST_CASE("a request that is back is no other process's") {
  request_trail trail{process(1)};
  trail.came_home(process(2), process(9));
  // The notice that 1 has passed it on is still on its way.
  CHECK(!trail.is_only_in(process(9)));
  trail.announced(process(1), process(2));
  CHECK(!trail.is_only_in(process(9)));
  trail.arrived(process(1), process(2));
  CHECK(trail.is_only_in(process(9)));
  trail.sent(process(9), process(3));
  CHECK(!trail.is_only_in(process(9)));
  std::vector<slot_id> to_ask;
  trail.died(process(3), death, to_ask);
  CHECK(trail.is_lost());
}
