// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/containers.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace troupe;

namespace {

using ages = shared_map<shared_string, int>;
using names = shared_vector<shared_string>;

const std::string long_name = "a name that is too long to stand in the string";

// A join stands between every two uses: that is the taking of turns here.
std::uint64_t add(block place) {
  auto& map = place.make<ages>("ages");
  map.emplace(shared_text(place, long_name), 8);
  place.make<names>("names").push_back(shared_text(place, long_name));
  return reinterpret_cast<std::uint64_t>(&map);
}

} // namespace

TEST_CASE("a map, a vector and strings are shared by parent and child") {
  const block place(1 << 20);
  place.make<ages>("ages").emplace(shared_text(place, "Sam"), 10);
  CHECK(async<add>(place).get() != 0);
  const auto& map = *place.find<ages>("ages");
  CHECK(map.size() == 2);
  CHECK(map.at(shared_text(place, long_name)) == 8);
  CHECK(place.find<names>("names")->front() == long_name.c_str());
}

TEST_CASE("a spawned process, whose memory is elsewhere, sees the same") {
  const block place(1 << 20);
  start_options spawned;
  spawned.method = start_method::spawn;
  const auto there = async<add>(spawned, place).get();
  const auto* here = place.find<ages>("ages");
  REQUIRE(here != nullptr);
  CHECK(here->size() == 1);
  // Where the system puts both at random; equal by chance once in 2^28 times.
  MESSAGE("mapped at the same address: "
          << (there == reinterpret_cast<std::uint64_t>(here)));
}

TEST_CASE("an object in a block is found by its name until it is erased") {
  const block place(1 << 16);
  CHECK(place.find<int>("count") == nullptr);
  place.make<int>("count", 5) = 6;
  CHECK(place.make<int>("count", 5) == 6);
  CHECK(*place.find<int>("count") == 6);
  CHECK(place.erase<int>("count"));
  CHECK_FALSE(place.erase<int>("count"));
  CHECK(place.find<int>("count") == nullptr);
}

TEST_CASE("a full block is an error that loses nothing") {
  const block place(1 << 14);
  auto& kept = place.make<shared_vector<int>>("kept", 100U);
  kept[99] = 7;
  CHECK_THROWS_AS(place.make<shared_vector<int>>("large", 10'000U),
                  limit_reached);
  CHECK_THROWS_AS(kept.resize(10'000), std::exception);
  CHECK(kept.size() == 100);
  CHECK(kept[99] == 7);
  CHECK(place.find<shared_vector<int>>("large") == nullptr);
}

TEST_CASE("a block that is too small to be one is refused") {
  CHECK_THROWS_AS(block{100}, invalid_argument);
}

TEST_CASE("pieces taken and given back at random never overlap, and are all "
          "there again at the end") {
  // Python's _TestHeap.
  const block place(1 << 22);
  using piece = shared_vector<std::uint32_t>;
  const auto allocator = place.get_allocator<std::uint32_t>();
  const auto before = place.free_bytes();
  {
    std::minstd_rand random{20'000};
    std::vector<piece> pieces;
    for (std::uint32_t round = 0; round < 5000; ++round) {
      pieces.emplace_back(random() % 200, round, allocator);
      if (pieces.size() > 50) {
        const auto which = random() % pieces.size();
        for (const auto each : pieces[which])
          REQUIRE(each == pieces[which].front());
        std::swap(pieces[which], pieces.back());
        pieces.pop_back();
      }
    }
  }
  CHECK(place.free_bytes() == before);
}
