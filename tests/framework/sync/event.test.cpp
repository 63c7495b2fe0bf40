// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/event.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/future.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "crew.hpp"

using namespace std::chrono_literals;

namespace {

void set_it(troupe::event news) {
  news.set();
}

void wait_for_it(troupe::event news, troupe::semaphore waits,
                 troupe::semaphore passed) {
  waits.release();
  news.wait();
  passed.release();
}

} // namespace

TEST_CASE("an event is set, cleared and waited for") {
  const troupe::event news;
  CHECK_FALSE(news.is_set());
  CHECK_FALSE(news.wait_for(0s));
  CHECK_FALSE(news.wait_for(-1s));
  CHECK(time_of([&] { CHECK_FALSE(news.wait_for(30ms)); }) >= 30ms);
  news.set();
  news.set();
  CHECK(news.is_set());
  news.wait();
  CHECK(news.wait_for(1h));
  CHECK(news.wait_until(std::chrono::system_clock::now() - 1h));
  news.clear();
  CHECK_FALSE(news.is_set());
  auto setter = troupe::start<set_it>(news);
  news.wait();
}

TEST_CASE("all who wait pass, also if the event is cleared at once") {
  for (const auto kind : both_kinds) {
    const troupe::event news;
    const troupe::semaphore waits{0};
    const troupe::semaphore passed{0};
    crew crew{kind};
    for (int i = 0; i < 4; ++i)
      crew.add<wait_for_it>(news, waits, passed);
    for (int i = 0; i < 4; ++i)
      waits.acquire();
    // Those who have said so may not wait quite yet.
    while (passed.value() < 4) {
      news.set();
      news.clear();
      static_cast<void>(passed.try_acquire_for(1ms)
                        && (passed.release(), true));
    }
    CHECK(crew.join());
  }
}

TEST_CASE("a dead sleeper does not disturb") {
  const troupe::event news;
  const troupe::semaphore waits{0};
  const troupe::semaphore passed{0};
  auto victim = troupe::start<wait_for_it>(news, waits, passed);
  auto other = troupe::start<wait_for_it>(news, waits, passed);
  waits.acquire();
  waits.acquire();
  victim.kill();
  victim.join();
  news.set();
  CHECK(other.join().success());
}

TEST_CASE("an event is waited for beside other things") {
  const troupe::event news;
  const troupe::event other;
  const troupe::queue<int> numbers;
  CHECK(troupe::wait_any(news, numbers, 10ms) == 2);
  CHECK_FALSE(troupe::wait_any(std::vector{news, other}, 1ms));
  news.set();
  CHECK(troupe::wait_any(numbers, news) == 1);
  CHECK(troupe::wait_any(numbers, news, 0s) == 1);
  CHECK(troupe::wait_any(std::vector{other, news}) == 1);
  CHECK(troupe::all_ready(other, news) == std::vector<std::size_t>{1});
  news.clear();
  CHECK(troupe::wait_any(numbers, news, 0s) == 2);
  auto setter = troupe::start<set_it>(news);
  CHECK(troupe::wait_any(numbers, other, news, 60s) == 2);
  CHECK(setter.join().success());
  // Nobody is left among those whom the event notifies.
  CHECK_FALSE(news.state().watchers.any());
}

TEST_CASE("who waits for an event beside other things passes too, if it is "
          "cleared at once") {
  const troupe::event news;
  const troupe::semaphore waits{0};
  const troupe::semaphore passed{0};
  auto waiting = troupe::start(
    [](troupe::event of, troupe::semaphore begun, troupe::semaphore done) {
      const troupe::queue<int> numbers;
      begun.release();
      if (troupe::wait_any(numbers, of) == 1)
        done.release();
    },
    news, waits, passed);
  waits.acquire();
  // Who has said so may not wait quite yet.
  while (!passed.try_acquire_for(1ms)) {
    news.set();
    news.clear();
  }
  CHECK(waiting.join().success());
}

TEST_CASE("threads of one process wait for one event, each until it is done") {
  const troupe::event news;
  const troupe::queue<int> numbers;
  std::atomic<int> timed_out{0};
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      if (i % 2 == 0)
        timed_out += troupe::wait_any(numbers, news, 20ms) == 2;
      else
        passed += troupe::wait_any(numbers, news, 60s) == 1;
    });
  // Those that go first must not take the entry of those that stay.
  CHECK(troupe::test::eventually([&] { return timed_out == 2; }));
  news.set();
  for (auto& each : threads)
    each.join();
  CHECK(passed == 2);
  CHECK_FALSE(news.state().watchers.any());
}

TEST_CASE("a dead process that waited for an event is notified no more") {
  const troupe::event news;
  auto victim = troupe::start(
    [](troupe::event of) {
      static_cast<void>(troupe::wait_any(of, troupe::queue<int>{}));
    },
    news);
  REQUIRE(
    troupe::test::eventually([&] { return news.state().watchers.any(); }));
  victim.kill();
  victim.join();
  CHECK_FALSE(news.state().watchers.any());
  news.set();
  CHECK(troupe::wait_any(news) == 0);
}

TEST_CASE(
  "who watches an event from a slot without a bit there is notified as well") {
  const troupe::event news;
  auto& own = troupe::memory::run_memory::current().own_slot();
  const auto before = own.wake_word.load();
  news.state().add_watcher(troupe::sync::event_state::slots_inside - 1);
  news.set();
  CHECK(own.wake_word.load() == before);
  news.clear();
  news.state().add_watcher(troupe::sync::event_state::slots_inside);
  news.set();
  CHECK(own.wake_word.load() != before);
}
