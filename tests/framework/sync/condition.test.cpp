// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/condition.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include "crew.hpp"

#include <csignal>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;
using troupe::test::eventually;

namespace {

void sleep_once(troupe::condition changed, troupe::mutex lock,
                troupe::semaphore woken) {
  std::unique_lock guard{lock};
  changed.wait(guard);
  woken.release();
}

void sleep_with_limit(troupe::condition changed, troupe::mutex lock,
                      troupe::semaphore timed_out) {
  std::unique_lock guard{lock};
  if (changed.wait_for(guard, 20ms) == std::cv_status::timeout)
    timed_out.release();
}

void wait_until_four(troupe::condition changed, troupe::mutex lock,
                     troupe::value<int> state, troupe::event seen) {
  std::unique_lock guard{lock};
  changed.wait(guard, [&] { return state.get() == 4; });
  seen.set();
}

int waiting(const troupe::condition& changed) {
  int count = 0;
  changed.state().waiters().for_each([&](auto&) { ++count; });
  return count;
}

} // namespace

TEST_CASE(
  "a wait for which there is no memory is refused, with the lock held") {
  const troupe::condition changed;
  const troupe::mutex lock;
  auto& limit = troupe::memory::run_memory::current().header().memory_limit;
  std::unique_lock guard{lock};
  const auto before = limit.exchange(0);
  CHECK_THROWS_AS(changed.wait(guard), troupe::limit_reached);
  CHECK(lock.is_mine());
  CHECK(changed.notify(1) == 0);
  limit.store(before);
  CHECK(changed.wait_for(guard, 1ms) == std::cv_status::timeout);
}

TEST_CASE("notify wakes the sleepers one by one") {
  const troupe::condition changed;
  const troupe::mutex lock;
  const troupe::semaphore woken{0};
  crew other{crew::processes};
  crew here{crew::threads};
  other.add<sleep_once>(changed, lock, woken);
  here.add<sleep_once>(changed, lock, woken);
  REQUIRE(eventually([&] { return waiting(changed) == 2; }));
  CHECK(woken.value() == 0);
  for (int i = 1; i <= 2; ++i) {
    {
      const std::scoped_lock guard{lock};
      changed.notify_one();
    }
    REQUIRE(eventually([&] { return woken.value() == i; }));
  }
  CHECK(other.join());
  CHECK(here.join());
}

TEST_CASE("notify_all wakes those who have not timed out") {
  const troupe::condition changed;
  const troupe::mutex lock;
  const troupe::semaphore timed_out{0};
  const troupe::semaphore woken{0};
  crew brief{crew::processes};
  crew here{crew::threads};
  for (int i = 0; i < 3; ++i) {
    brief.add<sleep_with_limit>(changed, lock, timed_out);
    here.add<sleep_with_limit>(changed, lock, timed_out);
  }
  CHECK(brief.join());
  CHECK(here.join());
  CHECK(timed_out.value() == 6);
  crew rest{crew::processes};
  for (int i = 0; i < 4; ++i)
    rest.add<sleep_once>(changed, lock, woken);
  REQUIRE(eventually([&] { return waiting(changed) == 4; }));
  changed.notify_all();
  CHECK(rest.join());
  CHECK(woken.value() == 4);
}

TEST_CASE("notify(n) wakes exactly n") {
  const troupe::condition changed;
  const troupe::mutex lock;
  const troupe::semaphore woken{0};
  crew crew{crew::processes};
  for (int i = 0; i < 6; ++i)
    crew.add<sleep_once>(changed, lock, woken);
  REQUIRE(eventually([&] { return waiting(changed) == 6; }));
  CHECK(changed.notify(1) == 1);
  REQUIRE(eventually([&] { return woken.value() == 1; }));
  CHECK(changed.notify(2) == 2);
  REQUIRE(eventually([&] { return woken.value() == 3; }));
  CHECK(changed.notify(10) == 3);
  CHECK(crew.join());
  CHECK(woken.value() == 6);
  CHECK(changed.notify(1) == 0);
}

TEST_CASE("a limit passes") {
  const troupe::condition changed;
  const troupe::mutex lock;
  std::unique_lock guard{lock};
  CHECK(time_of([&] {
          CHECK(changed.wait_for(guard, 30ms) == std::cv_status::timeout);
        })
        >= 30ms);
  CHECK(lock.is_mine());
  CHECK_FALSE(changed.wait_for(guard, 10ms, [] { return false; }));
  CHECK(changed.wait_until(guard, std::chrono::system_clock::now() + 10ms)
        == std::cv_status::timeout);
  CHECK(changed.wait_for(guard, 10ms, [] { return true; }));
}

TEST_CASE("a predicate is waited for") {
  for (const auto kind : both_kinds) {
    const troupe::condition changed;
    const troupe::mutex lock;
    const troupe::value<int> state{0};
    const troupe::event seen;
    crew crew{kind};
    crew.add<wait_until_four>(changed, lock, state, seen);
    for (int i = 1; i <= 4; ++i) {
      CHECK_FALSE(seen.is_set());
      const std::scoped_lock guard{lock};
      state.set(i);
      changed.notify_one();
    }
    CHECK(crew.join());
    CHECK(seen.is_set());
  }
}

TEST_CASE("a notified wait says so") {
  const troupe::condition changed;
  const troupe::mutex lock;
  std::unique_lock guard{lock};
  std::jthread notifier{[&] {
    static_cast<void>(eventually([&] { return waiting(changed) == 1; }));
    changed.notify_one();
  }};
  CHECK(changed.wait_for(guard, 20s) == std::cv_status::no_timeout);
}

TEST_CASE("who waits must hold the lock") {
  const troupe::condition changed;
  troupe::mutex lock;
  CHECK_THROWS_AS(changed.wait(lock), troupe::not_owner);
  CHECK(waiting(changed) == 0);
}

TEST_CASE("a killed sleeper neither blocks the notifier nor eats its news") {
  const troupe::condition changed;
  const troupe::mutex lock;
  const troupe::semaphore woken{0};
  auto first = troupe::start<sleep_once>(changed, lock, woken);
  REQUIRE(eventually([&] { return waiting(changed) == 1; }));
  auto second = troupe::start<sleep_once>(changed, lock, woken);
  REQUIRE(eventually([&] { return waiting(changed) == 2; }));
  // Stopped, it cannot take its notification; then it dies with it.
  first.send_signal(SIGSTOP);
  CHECK(changed.notify(1) == 1);
  CHECK(woken.value() == 0);
  first.kill();
  REQUIRE(eventually([&] { return woken.value() == 1; }));
  CHECK(second.join().success());
  CHECK(changed.notify(1) == 0);
}
