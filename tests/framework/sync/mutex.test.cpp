// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/recursive_mutex.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/future.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sanitized.hpp>
#include <support/system_calls.hpp>

#include "crew.hpp"

#include <concepts>
#include <future>
#include <mutex>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

template <class Mutex>
void count_up(Mutex lock, troupe::value<long> number, int times) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock guard{lock};
    number.raw() = number.raw() + 1;
  }
}

template <class Mutex>
bool can_lock(Mutex lock) {
  const std::unique_lock<Mutex> guard{lock, std::try_to_lock};
  return guard.owns_lock();
}

template <class Mutex>
bool can_lock_elsewhere(const Mutex& lock) {
  return troupe::async<can_lock<Mutex>>(lock).get();
}

template <class Mutex>
void hold(Mutex lock, troupe::event held, troupe::event let_go) {
  const std::scoped_lock guard{lock};
  held.set();
  let_go.wait();
}

template <class Mutex>
void hold_for_ever(Mutex lock, troupe::event held) {
  lock.lock();
  held.set();
  troupe::event{}.wait();
}

template <class Mutex>
void lock_often(Mutex lock) {
  for (int i = 0; i < 1000; ++i) {
    const std::scoped_lock guard{lock};
  }
}

} // namespace

TEST_CASE_TEMPLATE("a lock excludes", Mutex, troupe::mutex,
                   troupe::recursive_mutex) {
  for (const auto kind : both_kinds) {
    Mutex lock;
    troupe::value<long> number{0};
    crew crew{kind};
    for (int i = 0; i < 5; ++i)
      crew.template add<count_up<Mutex>>(lock, number, 4000);
    CHECK(crew.join());
    CHECK(number.get() == 5 * 4000);
    CHECK_FALSE(lock.is_locked());
    CHECK(lock.waiters().empty());
  }
}

TEST_CASE_TEMPLATE("a lock is TimedLockable", Mutex, troupe::mutex,
                   troupe::recursive_mutex) {
  Mutex lock;
  CHECK(lock.try_lock());
  CHECK(lock.is_locked());
  CHECK_FALSE(can_lock_elsewhere(lock));
  lock.unlock();
  CHECK_FALSE(lock.is_locked());
  CHECK(can_lock_elsewhere(lock));
  CHECK(lock.try_lock_for(-1s));
  lock.unlock();
  CHECK(lock.try_lock_until(std::chrono::system_clock::now() + 1s));
  lock.unlock();
  const std::chrono::duration<double> a_second{1};
  {
    const std::unique_lock<Mutex> timed{lock, std::chrono::steady_clock::now()
                                                + a_second};
    CHECK(timed.owns_lock());
  }
  {
    Mutex other;
    const std::scoped_lock both{lock, other};
    CHECK(lock.is_mine());
    CHECK(other.is_mine());
  }
  const std::unique_lock<Mutex> timed{lock, 10ms};
  CHECK(timed.owns_lock());
}

TEST_CASE_TEMPLATE("a limit passes while another holds the lock", Mutex,
                   troupe::mutex, troupe::recursive_mutex) {
  Mutex lock;
  troupe::event held;
  troupe::event let_go;
  auto holder = troupe::start<hold<Mutex>>(lock, held, let_go);
  held.wait();
  CHECK_FALSE(lock.try_lock());
  CHECK_FALSE(lock.try_lock_for(-1s));
  CHECK(time_of([&] { CHECK_FALSE(lock.try_lock_for(30ms)); }) >= 30ms);
  CHECK(lock.waiters().empty());
  const auto owner = lock.holder();
  REQUIRE(owner);
  CHECK(owner->pid == holder.pid());
  CHECK(owner->process_name == holder.name());
  CHECK(owner->thread == holder.pid());
  CHECK_FALSE(owner->is_actor);
  CHECK(std::chrono::steady_clock::now() >= owner->since);
  CHECK(std::chrono::steady_clock::now() - owner->since < 1min);
  let_go.set();
  CHECK(lock.try_lock_for(20s));
  lock.unlock();
}

TEST_CASE("locking twice in one thread is an error") {
  troupe::mutex lock;
  const std::scoped_lock guard{lock};
  CHECK_THROWS_AS(lock.lock(), troupe::would_deadlock);
  CHECK_THROWS_AS(static_cast<void>(lock.try_lock_for(1s)),
                  troupe::would_deadlock);
  CHECK_THROWS_AS(static_cast<void>(lock.acquire()), troupe::would_deadlock);
  CHECK_FALSE(lock.try_lock());
  CHECK_THROWS_AS(lock.close(), troupe::invalid_state);
}

TEST_CASE_TEMPLATE("unlocking what one does not hold is an error", Mutex,
                   troupe::mutex, troupe::recursive_mutex) {
  Mutex lock;
  CHECK_THROWS_AS(lock.unlock(), troupe::not_owner);
  troupe::event held;
  troupe::event let_go;
  auto holder = troupe::start<hold<Mutex>>(lock, held, let_go);
  held.wait();
  try {
    lock.unlock();
    FAIL("unlocked");
  } catch (const troupe::not_owner& failure) {
    // It says who does.
    CHECK(std::string{failure.what()}.find(std::to_string(holder.pid()))
          != std::string::npos);
  }
  let_go.set();
}

TEST_CASE("a recursive mutex counts") {
  troupe::recursive_mutex lock;
  for (int i = 0; i < 3; ++i)
    lock.lock();
  CHECK(lock.depth() == 3);
  for (int i = 0; i < 2; ++i)
    lock.unlock();
  CHECK_FALSE(can_lock_elsewhere(lock));
  lock.unlock();
  CHECK(lock.depth() == 0);
  CHECK(can_lock_elsewhere(lock));
  CHECK_THROWS_AS(lock.unlock(), troupe::not_owner);
}

TEST_CASE("handles mean the same lock, and can go anywhere") {
  troupe::mutex lock;
  const auto copy = lock; // NOLINT
  CHECK(copy == lock);
  const std::scoped_lock guard{lock};
  CHECK(copy.is_mine());
  CHECK(troupe::async(
          [](std::vector<troupe::mutex> locks) {
            return locks.at(0) == locks.at(1) && locks.at(0).is_locked()
                   && !locks.at(0).is_mine();
          },
          std::vector<troupe::mutex>{lock, copy})
          .get());
  static_assert(!std::convertible_to<troupe::mutex, troupe::recursive_mutex>);
}

TEST_CASE("those who wait are listed in order") {
  troupe::mutex lock;
  std::vector<troupe::process> all;
  const troupe::value<long> number{0};
  {
    const std::scoped_lock guard{lock};
    for (std::size_t i = 0; i < 3; ++i) {
      all.push_back(troupe::start<count_up<troupe::mutex>>(lock, number, 1));
      REQUIRE(troupe::test::eventually(
        [&] { return lock.waiters().size() == i + 1; }));
    }
    const auto waiters = lock.waiters();
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(waiters[i].pid == all[i].pid());
  }
  all.clear();
  CHECK(number.get() == 3);
}

TEST_CASE("more wait than the line has places") {
  troupe::mutex lock;
  const troupe::value<long> number{0};
  std::vector<std::jthread> all;
  {
    const std::scoped_lock guard{lock};
    for (int i = 0; i < 150; ++i)
      all.emplace_back([=] { count_up(lock, number, 2); });
    REQUIRE(troupe::test::eventually([&] {
      return lock.waiters().size() == troupe::sync::mutex_word::most_waiters;
    }));
  }
  all.clear();
  CHECK(number.get() == 300);
}

TEST_CASE("a lock is waited for where there is no memory for its wait queue") {
  troupe::mutex lock;
  const troupe::value<long> number{0};
  auto& limit = troupe::memory::run_memory::current().header().memory_limit;
  const auto before = limit.exchange(0);
  {
    const std::scoped_lock guard{lock};
    CHECK_FALSE(std::async(std::launch::async, [&] {
                  return lock.try_lock_for(5ms);
                }).get());
    CHECK(lock.waiters().empty());
  }
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 4; ++i)
      all.emplace_back([=] { count_up(lock, number, 1000); });
  }
  limit.store(before);
  CHECK(number.get() == 4000);
  CHECK_FALSE(lock.is_locked());
}

TEST_CASE_TEMPLATE("the owner's death is told once, and the fence grows", Mutex,
                   troupe::mutex, troupe::recursive_mutex) {
  Mutex lock;
  const auto first = lock.acquire();
  lock.unlock();
  troupe::event held;
  auto holder = troupe::start<hold_for_ever<Mutex>>(lock, held);
  held.wait();
  SUBCASE("nobody waits") {
    holder.kill();
    holder.join();
    CHECK_FALSE(lock.is_locked());
  }
  SUBCASE("one waits") {
    std::jthread killer{[&] {
      static_cast<void>(
        troupe::test::eventually([&] { return lock.waiters().size() == 1; }));
      holder.kill();
    }};
    const auto granted = lock.acquire();
    CHECK(granted.owner_died);
    CHECK(lock.owner_died());
    CHECK(granted.fence > first.fence + 1);
    lock.unlock();
    const auto next = lock.acquire();
    CHECK_FALSE(next.owner_died);
    CHECK(next.fence == granted.fence + 1);
    lock.unlock();
    return;
  }
  const auto granted = lock.try_acquire();
  REQUIRE(granted);
  CHECK(granted->owner_died);
  CHECK(granted->fence > first.fence + 1);
  lock.unlock();
  CHECK_FALSE(lock.acquire().owner_died);
  lock.unlock();
}

TEST_CASE("a process that gives its last handle up gives its lock up") {
  troupe::mutex lock;
  auto careless = troupe::start([](troupe::mutex other) { other.lock(); },
                                lock);
  CHECK(careless.join().success());
  CHECK(careless.status()->last_lines().find("last handle of a mutex")
        != std::string::npos);
  const auto granted = lock.try_acquire();
  REQUIRE(granted);
  CHECK(granted->owner_died);
  lock.unlock();
}

TEST_CASE_TEMPLATE("a free lock costs no system call", Mutex, troupe::mutex,
                   troupe::recursive_mutex) {
  if (troupe::test::sanitized)
    return;
  const Mutex lock;
  const auto calls = troupe::test::system_calls_of<lock_often<Mutex>>(lock);
  CHECK(calls.value_or(0) == 0);
}
