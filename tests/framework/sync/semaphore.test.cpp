// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/semaphore.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include "crew.hpp"

#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

void take_turns(troupe::semaphore units, troupe::value<int> inside,
                troupe::value<int> most, int times) {
  for (int i = 0; i < times; ++i) {
    units.acquire();
    const int now = ++inside;
    for (int seen = most.load();
         seen < now && !most.compare_exchange(seen, now);) {
    }
    --inside;
    units.release();
  }
}

void take_for_ever(troupe::semaphore units, int count, troupe::event taken) {
  for (int i = 0; i < count; ++i)
    units.acquire();
  taken.set();
  troupe::event{}.wait();
}

void wait_for_one(troupe::semaphore units, troupe::semaphore passed) {
  units.acquire();
  passed.release();
}

} // namespace

TEST_CASE("a semaphore counts") {
  troupe::semaphore units{2};
  CHECK(units.value() == 2);
  units.acquire();
  CHECK(units.value() == 1);
  CHECK(units.try_acquire());
  CHECK(units.value() == 0);
  CHECK_FALSE(units.try_acquire());
  units.release();
  CHECK(units.value() == 1);
  units.release(2);
  CHECK(units.value() == 3);
  CHECK_THROWS_AS(units.release(-1), troupe::invalid_argument);
  CHECK_THROWS_AS(troupe::semaphore{-1}, troupe::invalid_argument);
}

TEST_CASE("a bounded semaphore refuses to be released too often") {
  troupe::bounded_semaphore units{2};
  CHECK_THROWS_AS(units.release(), troupe::invalid_state);
  units.acquire();
  units.release();
  CHECK_THROWS_AS(units.release(), troupe::invalid_state);
  CHECK(units.value() == 2);
}

TEST_CASE("every limit of a semaphore") {
  troupe::semaphore none{0};
  CHECK_FALSE(none.try_acquire());
  CHECK_FALSE(none.try_acquire_for(-1s));
  CHECK_FALSE(none.try_acquire_for(0s));
  CHECK_FALSE(none.try_acquire_until(std::chrono::system_clock::now() - 1h));
  CHECK(time_of([&] { CHECK_FALSE(none.try_acquire_for(30ms)); }) >= 30ms);
  CHECK(time_of([&] {
          CHECK_FALSE(
            none.try_acquire_until(std::chrono::system_clock::now() + 30ms));
        })
        >= 29ms);
  none.release();
  CHECK(none.try_acquire_for(1h));
}

TEST_CASE("a semaphore lets in as many as it has units") {
  for (const auto kind : both_kinds) {
    const troupe::semaphore units{2};
    const troupe::value<int> inside{0};
    const troupe::value<int> most{0};
    crew crew{kind};
    for (int i = 0; i < 5; ++i)
      crew.add<take_turns>(units, inside, most, 1000);
    CHECK(crew.join());
    CHECK(most.get() <= 2);
    CHECK(units.value() == 2);
  }
}

TEST_CASE("release wakes as many as it gives") {
  for (const auto kind : both_kinds) {
    const troupe::semaphore units{0};
    const troupe::semaphore passed{0};
    crew crew{kind};
    for (int i = 0; i < 6; ++i)
      crew.add<wait_for_one>(units, passed);
    units.release(4);
    for (int i = 0; i < 4; ++i)
      REQUIRE(passed.try_acquire_for(20s));
    CHECK_FALSE(passed.try_acquire_for(20ms));
    units.release(2);
    CHECK(crew.join());
    CHECK(passed.value() == 2);
  }
}

TEST_CASE("a dead process's units come back") {
  const troupe::semaphore units{3};
  const troupe::event taken;
  auto holder = troupe::start<take_for_ever>(units, 3, taken);
  taken.wait();
  CHECK(units.value() == 0);
  SUBCASE("nobody waits") {
    holder.kill();
    holder.join();
    CHECK(units.value() == 3);
  }
  SUBCASE("some wait") {
    const troupe::semaphore passed{0};
    crew crew{crew::processes};
    for (int i = 0; i < 3; ++i)
      crew.add<wait_for_one>(units, passed);
    REQUIRE(troupe::test::eventually([&] {
      int standing = 0;
      units.units().waiters().for_each([&](auto&) { ++standing; });
      return standing == 3;
    }));
    holder.kill();
    CHECK(crew.join());
    // Each of the three ended without giving its unit back, so they came back.
    CHECK(units.value() == 3);
  }
}

TEST_CASE(
  "more processes than there is room for in a semaphore have units, and "
  "all come back") {
  constexpr int processes = 2 + troupe::sync::semaphore_units::accounts_inside;
  const troupe::semaphore units{2 * processes};
  std::vector<troupe::process> holders;
  for (int i = 0; i < processes; ++i) {
    const troupe::event taken;
    holders.push_back(troupe::start<take_for_ever>(units, 2, taken));
    taken.wait();
  }
  CHECK(units.value() == 0);
  // Those with an account inside first, and then the others; or all at once.
  SUBCASE("one after the other") {
    for (int i = 0; i < processes; ++i) {
      holders[static_cast<std::size_t>(i)].kill();
      holders[static_cast<std::size_t>(i)].join();
      CHECK(units.value() == 2 * (i + 1));
    }
  }
  SUBCASE("at once, while others take and give") {
    const troupe::value<int> inside{0};
    const troupe::value<int> most{0};
    crew crew{crew::processes};
    for (int i = 0; i < 3; ++i)
      crew.add<take_turns>(units, inside, most, 1000);
    for (auto& each : holders)
      each.kill();
    for (auto& each : holders)
      each.join();
    CHECK(crew.join());
    CHECK(units.value() == 2 * processes);
  }
  for (int i = 0; i < 2 * processes; ++i)
    CHECK(units.try_acquire());
  CHECK_FALSE(units.try_acquire());
}

TEST_CASE("a unit is waited for where there is no memory for the wait queue") {
  const troupe::semaphore units{0};
  auto& limit = troupe::memory::run_memory::current().header().memory_limit;
  const auto before = limit.exchange(0);
  CHECK_FALSE(units.try_acquire_for(5ms));
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 3; ++i)
      all.emplace_back([=] { units.acquire(); });
    units.release(3);
  }
  limit.store(before);
  CHECK(units.value() == 0);
}

TEST_CASE("a death makes no events that did not happen") {
  const troupe::semaphore events{0};
  const troupe::event taken;
  auto consumer = troupe::start<take_for_ever>(events, 2, taken);
  events.release(2);
  taken.wait();
  consumer.kill();
  consumer.join();
  CHECK(events.value() == 0);
}

TEST_CASE("units that another has given back do not come back again") {
  const troupe::semaphore units{2};
  const troupe::event taken;
  auto holder = troupe::start<take_for_ever>(units, 2, taken);
  taken.wait();
  units.release(1);
  holder.kill();
  holder.join();
  CHECK(units.value() == 2);
}
