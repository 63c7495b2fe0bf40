// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include "crew.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <time.h>

using namespace std::chrono_literals;
using troupe::test::eventually;

namespace {

constexpr int parties = 5;

/// The others never are further than one round ahead or behind.
void lock_step(troupe::barrier all, troupe::array<int> before,
               troupe::array<int> after, int rounds, troupe::value<int> wrong) {
  for (int i = 0; i < rounds; ++i) {
    before.atomic(static_cast<std::size_t>(i)).fetch_add(1);
    all.arrive_and_wait();
    if (before.atomic(static_cast<std::size_t>(i)).load() != parties)
      ++wrong;
    after.atomic(static_cast<std::size_t>(i)).fetch_add(1);
    all.arrive_and_wait();
    if (after.atomic(static_cast<std::size_t>(i)).load() != parties)
      ++wrong;
  }
}

void note_index(troupe::barrier all, troupe::array<int> seen) {
  seen.atomic(all.arrive_and_wait()).fetch_add(1);
}

void count_actions(troupe::barrier all, troupe::value<int> actions,
                   troupe::value<int> wrong) {
  all.arrive_and_wait([&] { ++actions; });
  if (actions.load() != 1)
    ++wrong;
}

/// Counts who passed and who got `broken_barrier`.
void arrive(troupe::barrier all, troupe::value<int> passed,
            troupe::value<int> broken) {
  try {
    all.arrive_and_wait();
    ++passed;
  } catch (const troupe::broken_barrier&) {
    ++broken;
  }
}

void arrive_with_limit(troupe::barrier all, troupe::value<int> broken) {
  try {
    all.arrive_and_wait_for(30ms);
  } catch (const troupe::broken_barrier&) {
    ++broken;
  }
}

void pass(troupe::barrier all, int times) {
  for (int i = 0; i < times; ++i)
    all.arrive_and_wait();
}

void pass_once_and_stay(troupe::barrier all, troupe::semaphore passed) {
  all.arrive_and_wait();
  passed.release();
  troupe::event{}.wait();
}

} // namespace

TEST_CASE("parties go in lock-step") {
  for (const auto kind : both_kinds)
    for (const int rounds : {1, 10}) {
      const troupe::barrier all{parties};
      const troupe::array<int> before(10);
      const troupe::array<int> after(10);
      const troupe::value<int> wrong{0};
      crew crew{kind};
      for (int i = 0; i < parties; ++i)
        crew.add<lock_step>(all, before, after, rounds, wrong);
      CHECK(crew.join());
      CHECK(wrong.get() == 0);
      CHECK(all.waiting() == 0);
      CHECK_FALSE(all.is_broken());
    }
}

TEST_CASE("each of a round gets a different index") {
  for (const auto kind : both_kinds) {
    const troupe::barrier all{parties};
    const troupe::array<int> seen(parties);
    crew crew{kind};
    for (int i = 0; i < parties; ++i)
      crew.add<note_index>(all, seen);
    CHECK(crew.join());
    for (const int each : seen)
      CHECK(each == 1);
  }
}

TEST_CASE("the action runs once, before any goes on") {
  for (const auto kind : both_kinds) {
    const troupe::barrier all{parties};
    const troupe::value<int> actions{0};
    const troupe::value<int> wrong{0};
    crew crew{kind};
    for (int i = 0; i < parties; ++i)
      crew.add<count_actions>(all, actions, wrong);
    CHECK(crew.join());
    CHECK(actions.get() == 1);
    CHECK(wrong.get() == 0);
  }
}

TEST_CASE("an action that throws breaks the barrier") {
  const troupe::barrier all{2};
  const troupe::value<int> passed{0};
  const troupe::value<int> broken{0};
  auto other = troupe::start<arrive>(all, passed, broken);
  REQUIRE(eventually([&] { return all.waiting() == 1; }));
  CHECK_THROWS_AS(all.arrive_and_wait([] { throw std::string{"no"}; }),
                  std::string);
  CHECK(other.join().success());
  CHECK(broken.get() == 1);
  CHECK(all.is_broken());
}

TEST_CASE("abort and reset") {
  for (const auto kind : both_kinds) {
    const troupe::barrier all{parties};
    const troupe::value<int> passed{0};
    const troupe::value<int> broken{0};
    const auto gather = [&](crew& crew) {
      for (int i = 0; i < parties - 1; ++i)
        crew.add<arrive>(all, passed, broken);
      REQUIRE(eventually([&] { return all.waiting() == parties - 1; }));
    };
    {
      crew crew{kind};
      gather(crew);
      all.abort();
      CHECK(crew.join());
    }
    CHECK(all.is_broken());
    CHECK(broken.get() == parties - 1);
    CHECK_THROWS_AS(all.arrive_and_wait(), troupe::broken_barrier);
    all.reset();
    CHECK_FALSE(all.is_broken());
    broken.store(0);
    {
      crew crew{kind};
      gather(crew);
      all.reset();
      CHECK(crew.join());
    }
    CHECK_FALSE(all.is_broken());
    CHECK(broken.get() == parties - 1);
    broken.store(0);
    {
      crew crew{kind};
      gather(crew);
      all.arrive_and_wait();
      CHECK(crew.join());
    }
    CHECK(passed.get() == parties - 1);
    CHECK(broken.get() == 0);
  }
}

TEST_CASE("a limit that passes breaks the barrier for all") {
  for (const auto kind : both_kinds) {
    const troupe::barrier all{parties};
    const troupe::value<int> broken{0};
    crew crew{kind};
    for (int i = 0; i < parties - 1; ++i)
      crew.add<arrive_with_limit>(all, broken);
    CHECK(crew.join());
    CHECK(broken.get() == parties - 1);
    CHECK(all.is_broken());
  }
}

TEST_CASE("a barrier's own limit serves every wait") {
  const troupe::barrier all{2, 30ms};
  CHECK_THROWS_AS(all.arrive_and_wait(), troupe::broken_barrier);
}

TEST_CASE("a point of time breaks a barrier as a limit does") {
  const troupe::barrier all{2};
  CHECK_THROWS_AS(all.arrive_and_wait_until(std::chrono::steady_clock::now()
                                            + 10ms),
                  troupe::broken_barrier);
}

TEST_CASE("who comes too early for a round sleeps, also beyond its limit") {
  const troupe::barrier all{2};
  auto& state = all.state();
  const auto row = troupe::memory::run_memory::current().self().index;
  troupe::sync::barrier_state::arrival first{};
  troupe::sync::barrier_state::arrival last{};
  REQUIRE(state.try_arrive(row, first));
  REQUIRE(state.try_arrive(row, last));
  REQUIRE(state.release(last));
  std::atomic<bool> ready{false};
  std::chrono::nanoseconds worked{};
  std::jthread early{[&] {
    ready = true;
    CHECK_THROWS_AS(all.arrive_and_wait_for(1ms), troupe::broken_barrier);
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    worked = std::chrono::seconds{used.tv_sec}
             + std::chrono::nanoseconds{used.tv_nsec};
  }};
  REQUIRE(eventually([&] { return ready.load(); }));
  const auto until = std::chrono::steady_clock::now() + 300ms;
  REQUIRE(eventually([&] { return std::chrono::steady_clock::now() > until; }));
  // The first goes, at last.
  CHECK_FALSE(all.is_broken());
  CHECK(state.look(first));
  CHECK(first.result == troupe::sync::barrier_state::outcome::passed);
  early.join();
  CHECK(worked < 50ms);
}

TEST_CASE("a barrier for one") {
  const troupe::barrier alone{1};
  for (int i = 0; i < 3; ++i)
    CHECK(alone.arrive_and_wait() == 0);
  CHECK(alone.parties() == 1);
  CHECK_THROWS_AS(troupe::barrier{0}, troupe::invalid_argument);
}

TEST_CASE("a thousand rounds") {
  for (const auto kind : both_kinds) {
    const troupe::barrier all{parties};
    crew crew{kind};
    for (int i = 0; i < parties; ++i)
      crew.add<pass>(all, 1000);
    CHECK(crew.join());
    CHECK_FALSE(all.is_broken());
  }
}

TEST_CASE("the death of a member breaks the barrier") {
  const troupe::barrier all{3};
  const troupe::value<int> passed{0};
  const troupe::value<int> broken{0};
  SUBCASE("while it waits") {
    auto victim = troupe::start<pass>(all, 1);
    auto other = troupe::start<arrive>(all, passed, broken);
    REQUIRE(eventually([&] { return all.waiting() == 2; }));
    victim.kill();
    CHECK(other.join().success());
    CHECK(broken.get() == 1);
  }
  SUBCASE("between two rounds, when nobody waits") {
    const troupe::semaphore done{0};
    auto victim = troupe::start<pass_once_and_stay>(all, done);
    auto other = troupe::start<pass>(all, 1);
    all.arrive_and_wait();
    done.acquire();
    CHECK(other.join().success());
    CHECK_FALSE(all.is_broken());
    victim.kill();
    victim.join();
    CHECK(all.is_broken());
    const auto name = victim.name();
    const auto pid = victim.pid();
    // Its place in the process table is the next one's.
    victim.close();
    auto next = troupe::start([] {});
    CHECK(next.join().success());
    try {
      all.arrive_and_wait();
      FAIL("it is whole");
    } catch (const troupe::broken_barrier& broken_one) {
      const std::string what = broken_one.what();
      CHECK_MESSAGE(what.find("a process that took part has died, " + name
                              + " (pid " + std::to_string(pid) + ")")
                      != std::string::npos,
                    what);
      CHECK(what.find("a barrier of 3 parties") != std::string::npos);
    }
  }
  all.reset();
  auto one = troupe::start<pass>(all, 1);
  auto two = troupe::start<pass>(all, 1);
  all.arrive_and_wait();
}
