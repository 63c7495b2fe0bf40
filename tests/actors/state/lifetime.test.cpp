// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/sync/event.hpp>

#include "account.hpp"

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <string>
#include <thread>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::proxy;
using troupe::state;
using troupe::test::eventually;

namespace {

using numbers = held::list<int>;
using lists = held::dict<std::string, numbers>;

bool comes_to(const state& here, std::uint64_t count) {
  return eventually([&] { return here.size() == count; });
}

} // namespace

TEST_CASE("a list in a dict lives as long as it is there") {
  const state here;
  const auto dict = here.make<lists>();
  dict.set("a", here.make<numbers>({1, 2}));
  CHECK(here.size() == 2);
  dict.at("a").push_back(3);
  CHECK(dict.at("a").snapshot() == std::vector{1, 2, 3});
  std::optional outside{dict.at("a")};
  CHECK(dict.erase("a"));
  CHECK(here.size() == 2);
  CHECK(outside->size() == 3);
  outside.reset();
  CHECK(comes_to(here, 1));
}

TEST_CASE("held objects that refer to each other in a chain all end") {
  const state here;
  auto last = here.make<held::list<numbers>>();
  for (int i = 0; i < 100; ++i)
    last.push_back(here.make<numbers>({i}));
  CHECK(here.size() == 101);
  last = here.make<held::list<numbers>>();
  CHECK(comes_to(here, 1));
}

TEST_CASE("a function in the state uses the proxies that its object holds") {
  const state here;
  const auto dict = here.make<lists>();
  dict.set("a", here.make<numbers>({1, 2}));
  dict.set("b", here.make<numbers>({3}));
  const int sum
    = dict.update([](const std::unordered_map<std::string, numbers>& all) {
        int result = 0;
        for (const auto& [name, list] : all)
          for (const int each : list)
            result += each;
        return result;
      });
  CHECK(sum == 6);
  dict.update([](std::unordered_map<std::string, numbers>& all) {
    all.insert_or_assign("c", state::here().make<numbers>({7}));
    all.erase("a");
  });
  CHECK(dict.at("c").at(0) == 7);
  CHECK(comes_to(here, 3));
}

TEST_CASE("a proxy in a queue keeps its object") {
  const state here;
  const troupe::queue<numbers> way;
  way.put(here.make<numbers>({4}));
  std::this_thread::sleep_for(5ms);
  CHECK(here.size() == 1);
  CHECK(way.get().at(0) == 4);
  CHECK(comes_to(here, 0));
}

TEST_CASE("what a killed process had a proxy of ends, and nothing else") {
  const state here;
  const auto kept = here.make<numbers>({1});
  const troupe::event ready;
  auto holder = troupe::start(
    [](state in, numbers shared, troupe::event tell) {
      const auto mine = in.make<numbers>({2});
      shared.push_back(mine.at(0));
      tell.set();
      std::this_thread::sleep_for(1h);
    },
    here, kept, ready);
  ready.wait();
  CHECK(here.size() == 2);
  holder.kill();
  CHECK(comes_to(here, 1));
  CHECK(kept.snapshot() == std::vector{1, 2});
}

TEST_CASE("the waiting call of a killed process takes nothing") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  const troupe::event ready;
  auto reader = troupe::start(
    [](held::queue<int> from, troupe::event tell) {
      auto item = from.call_async<&held::waiting_queue<int>::get>();
      // Answered behind the one before: that one waits by now.
      static_cast<void>(from.size());
      tell.set();
      static_cast<void>(item.get());
    },
    tasks, ready);
  ready.wait();
  reader.kill();
  reader.join();
  tasks.put(1);
  CHECK(tasks.get() == 1);
}

TEST_CASE("a future that is dropped takes nothing either") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  {
    auto item = tasks.call_async<&held::waiting_queue<int>::get>();
    CHECK(item.wait_for(1ms) == std::future_status::timeout);
  }
  tasks.put(1);
  CHECK(tasks.get() == 1);
}

TEST_CASE("handles of the run live inside of held objects") {
  const state here;
  const auto queues = here.make<held::list<troupe::queue<int>>>();
  {
    const troupe::queue<int> one;
    one.put(3);
    queues.push_back(one);
  }
  CHECK(queues.at(0).get() == 3);
}

TEST_CASE("states are started and ended in quick succession") {
  for (int i = 0; i < 10; ++i) {
    const state here;
    const auto list = here.make<numbers>({i});
    CHECK(list.at(0) == i);
    here.end();
    CHECK_THROWS_AS(list.push_back(0), troupe::peer_died);
  }
}

TEST_CASE("an initialiser runs once in the new state") {
  const state here;
  const auto calls = here.make<held::value<int>>(0);
  here.run([](held::value<int> of) { of += 1; }, calls);
  CHECK(calls == 1);
}

TEST_CASE("the object's type is checked where the compiler cannot") {
  const state here;
  const auto list = here.make<numbers>({1});
  const auto wrong = proxy<account>{list.target()};
  CHECK_THROWS_AS(wrong.call<&account::balance>(), troupe::invalid_argument);
  const auto message = troupe::codec::encode(list);
  CHECK_THROWS_AS(static_cast<void>(troupe::codec::decode<proxy<account>>(
                    message.body(), message.handles())),
                  troupe::malformed_bytes);
}

TEST_CASE("a proxy of another state is a value, too") {
  const state here;
  const state there;
  const auto lists_here = here.make<held::list<numbers>>();
  lists_here.push_back(there.make<numbers>({5}));
  CHECK(there.size() == 1);
  CHECK(lists_here.at(0).at(0) == 5);
  lists_here.clear();
  CHECK(comes_to(there, 0));
}

TEST_CASE("a function that would wait for its own state is told so") {
  const state here;
  const auto tasks = here.make<held::queue<int>>();
  try {
    here.run([](held::queue<int> from) { return from.get(); }, tasks);
    FAIL("it did not throw");
  } catch (const troupe::would_deadlock&) {
  }
  CHECK(tasks.try_get() == std::nullopt);
}

TEST_CASE("threads of a process each get their own answers, in their order") {
  const state here;
  const auto list = here.make<numbers>();
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i)
        list.push_back(t * 1000 + i);
    });
  for (auto& each : all)
    each.join();
  std::vector<int> last(4, -1);
  for (const int each : list) {
    CHECK(each % 1000 == last[static_cast<std::size_t>(each / 1000)] + 1);
    last[static_cast<std::size_t>(each / 1000)] = each % 1000;
  }
}
