// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/barrier.hpp>
#include <troupe/state/condition.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/semaphore.hpp>
#include <troupe/state/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/start.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::eventually;

// As CPython's TestSyncManagerTypes does: each is used by another process.

TEST_CASE("a mutex in a state excludes processes and threads") {
  const state here;
  const auto lock = here.make<held::mutex>();
  const auto number = here.make<held::value<int>>(0);
  std::vector<troupe::process> all;
  for (int i = 0; i < 3; ++i)
    all.push_back(troupe::start(
      [](held::mutex with, held::value<int> of) {
        for (int turn = 0; turn < 100; ++turn) {
          const std::scoped_lock guard{with};
          of = of.get() + 1;
        }
      },
      lock, number));
  all.clear();
  CHECK(number == 300);
  lock.lock();
  CHECK(lock.is_locked());
  CHECK_THROWS_AS(lock.lock(), troupe::would_deadlock);
  std::thread{[&] {
    CHECK(!lock.try_lock());
    CHECK(!lock.try_lock_for(2ms));
    CHECK_THROWS_AS(lock.unlock(), troupe::not_owner);
  }}.join();
  lock.unlock();
  CHECK_THROWS_AS(lock.unlock(), troupe::not_owner);
}

TEST_CASE("a recursive mutex is locked as often as it is unlocked") {
  const state here;
  const auto lock = here.make<held::recursive_mutex>();
  lock.lock();
  CHECK(lock.try_lock());
  lock.unlock();
  CHECK(lock.is_locked());
  lock.unlock();
  CHECK(!lock.is_locked());
}

TEST_CASE("the lock of a killed process is free") {
  const state here;
  const auto lock = here.make<held::mutex>();
  const auto units = here.make<held::semaphore>(2);
  auto owner = troupe::start(
    [](held::mutex with, held::semaphore of) {
      with.lock();
      of.acquire();
      troupe::test::sleep_for_ever();
    },
    lock, units);
  CHECK(eventually([&] { return units.value() == 1; }));
  owner.kill();
  lock.lock();
  lock.unlock();
  CHECK(eventually([&] { return units.value() == 2; }));
}

TEST_CASE("a semaphore in a state counts") {
  const state here;
  const auto units = here.make<held::semaphore>(1, 1);
  units.acquire();
  CHECK(!units.try_acquire());
  CHECK(!units.try_acquire_for(2ms));
  CHECK(!units.try_acquire_until(std::chrono::steady_clock::now() + 2ms));
  auto other = troupe::start(
    [](held::semaphore of) {
      of.acquire();
      of.release();
    },
    units);
  units.release();
  other.join();
  CHECK(eventually([&] { return units.value() == 1; }));
  CHECK_THROWS_AS(units.release(), troupe::invalid_argument);
}

TEST_CASE("an event in a state wakes all who wait") {
  const state here;
  const auto news = here.make<held::event>();
  CHECK(!news.wait_for(2ms));
  CHECK(!news.wait_until(std::chrono::steady_clock::now() + 2ms));
  auto other = troupe::start([](held::event of) { of.wait(); }, news);
  news.set();
  other.join();
  CHECK(news.is_set());
  news.clear();
  CHECK(!news.is_set());
}

TEST_CASE("a condition in a state wakes those who wait for it") {
  const state here;
  const auto lock = here.make<held::mutex>();
  const auto changed = here.make<held::condition>();
  const auto number = here.make<held::value<int>>(0);
  auto other = troupe::start(
    [](held::mutex with, held::condition of, held::value<int> what) {
      std::unique_lock guard{with};
      of.wait(guard, [&] { return what == 5; });
      what = 6;
      of.notify_all();
    },
    lock, changed, number);
  std::unique_lock guard{lock};
  CHECK(!changed.wait_for(guard, 2ms));
  CHECK(!changed.wait_until(guard, std::chrono::steady_clock::now() + 2ms));
  number = 5;
  changed.notify_one();
  CHECK(changed.wait_until(guard, std::chrono::system_clock::now() + 20s,
                           [&] { return number == 6; }));
  CHECK(changed.wait_for(guard, 20s, [&] { return number == 6; }));
}

TEST_CASE("a wait that could not unlock swallows no notification") {
  const state here;
  const auto lock = here.make<held::mutex>();
  const auto changed = here.make<held::condition>();
  // A lock that the thread does not hold.
  CHECK_THROWS_AS(changed.wait(lock), troupe::not_owner);
  CHECK_THROWS_AS(changed.wait_for(lock, 20s), troupe::not_owner);
  std::unique_lock guard{lock};
  auto other = troupe::start(
    [](held::mutex with, held::condition of) {
      const std::scoped_lock owned{with};
      of.notify_one();
    },
    lock, changed);
  CHECK(changed.wait_for(guard, 20s));
}

TEST_CASE("a barrier in a state lets all through together") {
  const state here;
  const auto meet = here.make<held::barrier>(2);
  auto other = troupe::start(
    [](held::barrier at) {
      at.arrive_and_wait();
      at.arrive_and_wait();
    },
    meet);
  CHECK(meet.arrive_and_wait() < 2);
  CHECK(meet.arrive_and_wait() < 2);
  other.join();
  CHECK_THROWS_AS(meet.arrive_and_wait_for(2ms), troupe::broken_barrier);
  CHECK(meet.is_broken());
  CHECK_THROWS_AS(meet.arrive_and_wait(), troupe::broken_barrier);
  meet.reset();
  CHECK_THROWS_AS(meet.arrive_and_wait_until(std::chrono::steady_clock::now()
                                             + 2ms),
                  troupe::broken_barrier);
  meet.reset();
  CHECK(!meet.is_broken());
  auto dying = troupe::start([](held::barrier at) { at.arrive_and_wait(); },
                             meet);
  CHECK(eventually([&] { return meet.waiting() == 1; }));
  dying.kill();
  CHECK(eventually([&] { return meet.is_broken(); }));
}

TEST_CASE("who is too late for a round that is over does not break the next") {
  using object = held::barrier::object_type;
  const state here;
  const auto meet = here.make<held::barrier>(2);
  const auto mine = meet.call<&object::arrive>();
  meet.call<&object::arrive>();
  // What arrive_and_wait_for does when its limit passes.
  meet.call<&object::abort_round>(mine.round);
  CHECK(!meet.is_broken());
  const auto next = meet.call<&object::arrive>();
  meet.call<&object::abort_round>(next.round);
  CHECK(meet.is_broken());
}
