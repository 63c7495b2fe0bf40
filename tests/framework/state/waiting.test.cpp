// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/queue.hpp>

#include "account.hpp"

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/passed.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::all_ready;
using troupe::state;
using troupe::wait_any;
using troupe::test::eventually;
using troupe::test::passed;

namespace {

/// Whether the state keeps calls that wait.
void put(held::queue<int> into, int number) {
  into.put(number);
}

void set(held::event of) {
  of.set();
}

} // namespace

TEST_CASE(
  "an event and a queue in a state are waited for beside other things") {
  const state here;
  const auto news = here.make<held::event>();
  const auto tasks = here.make<held::queue<int>>();
  const troupe::queue<int> numbers;
  const auto ends = troupe::os::make_pipe();
  const int fd = ends.reader.get();
  CHECK(wait_any(news, tasks, numbers, 5ms) == 3);
  CHECK(wait_any(news, tasks, numbers, fd, 5ms) == 4);
  auto putter = troupe::start<put>(tasks, 7);
  CHECK(wait_any(news, tasks, numbers, 60s) == 1);
  CHECK(passed(putter));
  // It has taken nothing, and says so again, without time as well.
  CHECK(wait_any(news, tasks, fd, 60s) == 1);
  CHECK(wait_any(news, tasks, 0s) == 1);
  CHECK(tasks.get() == 7);
  CHECK(wait_any(news, tasks, 0s) == 2);
  auto setter = troupe::start<set>(news);
  CHECK(wait_any(tasks, news, numbers, 60s) == 1);
  CHECK(passed(setter));
  CHECK(all_ready(tasks, news, numbers) == std::vector<std::size_t>{1});
  news.clear();
  CHECK(wait_any(std::vector{tasks}, 1ms) == std::nullopt);
  tasks.close();
  CHECK(wait_any(news, tasks, 60s) == 1);
  CHECK_THROWS_AS(static_cast<void>(tasks.get()), troupe::closed);
}

TEST_CASE("results of calls are waited for beside other things") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const troupe::queue<int> numbers;
  auto later = savings.call_async<&account::withdraw_when_there>(50);
  auto soon = savings.call_async<&account::deposit>(1);
  CHECK(wait_any(later, soon, numbers, 60s) == 1);
  CHECK(soon.get() == 1);
  CHECK(wait_any(later, soon, numbers, 1ms) == 3);
  std::vector<held::future<int>> futures;
  futures.push_back(std::move(later));
  CHECK_FALSE(wait_any(futures, 1ms));
  savings.call<&account::deposit>(49);
  CHECK(wait_any(futures, 60s) == 0);
  CHECK(futures[0].get() == 0);
  CHECK_FALSE(wait_any(futures));
}

TEST_CASE("an answer that another thread reads is told too") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const troupe::queue<int> numbers;
  for (int round = 0; round < 50; ++round) {
    auto mine = savings.call_async<&account::withdraw_when_there>(10);
    auto others = savings.call_async<&account::withdraw_when_there>(5);
    std::jthread reads{[&] { others.wait(); }};
    std::jthread pays{[&] { savings.call<&account::deposit>(15); }};
    REQUIRE(wait_any(numbers, mine, 60s) == 1);
    static_cast<void>(mine.get());
    reads.join();
    static_cast<void>(others.get());
  }
}

TEST_CASE("what a state held that has died is ready, and its use says why") {
  const troupe::queue<int> numbers;
  state here;
  const auto news = here.make<held::event>();
  const auto tasks = here.make<held::queue<int>>();
  auto item = tasks.call_async<&held::waiting_queue<int>::get>();
  SUBCASE("while it is waited for") {
    std::atomic<std::size_t> first{99};
    std::jthread waits{[&] { first = wait_any(numbers, item, 60s); }};
    std::jthread waits_too{[&] { CHECK(wait_any(numbers, news, 60s) == 1); }};
    here.process().kill();
    CHECK(wait_any(numbers, tasks, 60s) == 1);
    waits.join();
    CHECK(first == 1);
  }
  SUBCASE("before") {
    here.process().kill();
    static_cast<void>(here.process().join());
    CHECK(wait_any(numbers, tasks, 0s) == 1);
    CHECK(wait_any(numbers, news, 60s) == 1);
    CHECK(wait_any(numbers, item, 60s) == 1);
  }
  CHECK_THROWS_AS(item.get(), troupe::peer_died);
  CHECK_THROWS_AS(static_cast<void>(news.is_set()), troupe::peer_died);
}

TEST_CASE("a state that is busy holds up no wait for others") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  const troupe::value<int> busy{0};
  const troupe::queue<int> numbers;
  // Its first wait opens the way of the answers.
  CHECK(wait_any(tasks, numbers, 1ms) == 2);
  auto blocker = troupe::start(
    [](state of, troupe::value<int> flag) {
      of.run(
        [](troupe::value<int> inside) {
          inside.store(1);
          troupe::test::await([&] { return inside != 1; });
        },
        flag);
    },
    here, busy);
  REQUIRE(eventually([&] { return busy == 1; }));
  CHECK(wait_any(tasks, 5ms) == 1);
  numbers.put(1);
  CHECK(wait_any(tasks, numbers, 60s) == 1);
  busy.store(2);
  CHECK(passed(blocker));
}

TEST_CASE("a wait that is over leaves no call behind in the state") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  for (int i = 0; i < 1000; ++i)
    CHECK(wait_any(tasks, 1us) == 1);
  tasks.put(1);
  CHECK(tasks.get() == 1);
  // Only an object that no call waits for ends with its last proxy.
  const auto before = here.size();
  {
    const auto other = here.make<held::queue<int>>();
    CHECK(wait_any(other, 1ms) == 1);
  }
  CHECK(eventually([&] { return here.size() == before; }));
}

TEST_CASE("no item is missed, whoever comes first") {
  const state here;
  const auto there = here.make<held::queue<int>>();
  const auto back = here.make<held::queue<int>>();
  auto echo = troupe::start(
    [](held::queue<int> from, held::queue<int> to) {
      for (int i = 0; i < 500; ++i)
        to.put(from.get());
    },
    there, back);
  const troupe::queue<int> numbers;
  const auto ends = troupe::os::make_pipe();
  for (int i = 0; i < 500; ++i) {
    there.put(i);
    const auto ready = i % 2 == 0 ? wait_any(numbers, back, 60s)
                                  : wait_any(ends.reader.get(), back, 60s);
    REQUIRE(ready == 1);
    CHECK(back.get() == i);
  }
  CHECK(passed(echo));
}

TEST_CASE("a function in the state that would wait for its own state is told "
          "so") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  here.bind("tasks", tasks);
  CHECK(here.run([] {
    const auto mine = state::here().find<held::queue<int>>("tasks");
    bool refused = false;
    try {
      static_cast<void>(wait_any(mine));
    } catch (const troupe::would_deadlock&) {
      refused = true;
    }
    const bool empty = wait_any(mine, 0s) == 1;
    mine.put(1);
    return refused && empty && wait_any(mine) == 0;
  }));
}
