// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include "account.hpp"

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::proxy;
using troupe::state;
using troupe::test::eventually;

namespace {

using numbers = held::list<int>;
using lists = held::dict<std::string, numbers>;

/// Tells of its end.
class farewell {
public:
  explicit farewell(troupe::event to) : to_(std::move(to)) {
  }
  farewell(const farewell&) = delete;
  farewell& operator=(const farewell&) = delete;
  ~farewell() {
    to_.set();
  }

private:
  troupe::event to_;
};

/// Refers to another of its kind.
class node {
public:
  void refer(proxy<node> to) {
    next_ = std::move(to);
  }

private:
  std::optional<proxy<node>> next_;
};

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

TEST_CASE("a dict in a dict is used and ends as an object of its own") {
  using ages = held::dict<std::string, int>;
  const state here;
  const auto outer = here.make<held::dict<std::string, ages>>();
  outer.set("a", here.make<ages>());
  outer.set("b", here.make<ages>());
  outer.at("a")["Sam"] = 40;
  outer.at("a")["Sam"] += 1;
  outer.at("b")["Sam"] = 7;
  CHECK(outer.at("a").at("Sam") == 41);
  CHECK(outer.at("b").at("Sam") == 7);
  CHECK(here.size() == 3);
  outer.set("a", outer.at("b"));
  CHECK(comes_to(here, 2));
  CHECK(outer.at("a") == outer.at("b"));
  outer.clear();
  CHECK(comes_to(here, 1));
}

TEST_CASE("a queue in a list or a dict is used where it is") {
  using tasks = held::queue<int>;
  const state here;
  const auto list = here.make<held::list<tasks>>();
  const auto dict = here.make<held::dict<std::string, tasks>>();
  list.push_back(here.make<tasks>());
  dict.set("a", here.make<tasks>());
  list.at(0).put(1);
  dict.at("a").put(2);
  auto child = troupe::start(
    [](held::list<tasks> from, held::dict<std::string, tasks> to) {
      to.at("a").put(from.at(0).get() + 10);
    },
    list, dict);
  child.join();
  CHECK(list.at(0).empty());
  CHECK(dict.at("a").get() == 2);
  CHECK(dict.at("a").get() == 11);
  list.clear();
  dict.clear();
  CHECK(comes_to(here, 2));
}

TEST_CASE("held objects in a circle last until their state ends, and do not "
          "keep it") {
  std::optional<state> here{state{}};
  const auto process = here->process();
  {
    const auto one = here->make<node>();
    const auto two = here->make<node>();
    const auto in_none = here->make<node>();
    one.call<&node::refer>(two);
    two.call<&node::refer>(one);
    CHECK(here->size() == 3);
  }
  CHECK(comes_to(*here, 2));
  here.reset();
  CHECK(process.join_for(20s));
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
  // What the state has let go of since says that it has looked.
  static_cast<void>(here.make<numbers>({5}));
  CHECK(comes_to(here, 1));
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
      troupe::test::sleep_for_ever();
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

TEST_CASE("with its last proxy a state ends in order, by end it is killed") {
  const troupe::event ended;
  {
    std::optional<state> here{state{}};
    here->bind("last", here->make<farewell>(ended));
    std::optional<numbers> list{here->make<numbers>({1})};
    const auto process = here->process();
    here.reset();
    CHECK(list->at(0) == 1);
    CHECK_FALSE(ended.is_set());
    list.reset();
    CHECK(ended.wait_for(20s));
    CHECK(process.join_for(20s));
  }
  ended.clear();
  const state here;
  here.bind("last", here.make<farewell>(ended));
  const auto list = here.make<numbers>({1});
  here.end();
  CHECK_FALSE(here.process().is_alive());
  CHECK_FALSE(ended.is_set());
  CHECK(eventually([&] {
    try {
      static_cast<void>(list.at(0));
    } catch (const troupe::peer_died& thrown) {
      return std::string{thrown.what()}.find("SIGKILL") != std::string::npos;
    }
    return false;
  }));
}

TEST_CASE("an initialiser runs once in the new state") {
  const state here;
  const auto calls = here.make<held::value<int>>(0);
  here.run([](held::value<int> of) { of += 1; }, calls);
  CHECK(calls == 1);
  // Other handles and other clients are of the same state: none runs it again.
  const state copy{here};
  auto client = troupe::start(
    [](state of, held::value<int> seen) {
      of.bind("seen", seen);
      static_cast<void>(of.make<numbers>({1}));
    },
    copy, calls);
  client.join();
  CHECK(copy.find<held::value<int>>("seen") == 1);
  CHECK(copy.unbind("seen"));
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

namespace {

/// An object that asks another one, in another state.
class asker {
public:
  void ask_next(std::optional<proxy<asker>> next) {
    next_ = std::move(next);
  }

  /// The number of steps, made one by one.
  int ask(int steps) {
    return steps == 0 ? 0 : 1 + next_->call<&asker::ask>(steps - 1);
  }

  /// The same, once `all` calls have begun.
  int ask_together(troupe::value<int> begun, int all) {
    ++begun;
    troupe::test::await([&] { return begun >= all; });
    return ask(1);
  }

private:
  std::optional<proxy<asker>> next_;
};

/// Objects of as many states: each asks the next one, and the last the first.
class cycle {
public:
  explicit cycle(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      all_.push_back(state{}.make<asker>());
    for (std::size_t i = 0; i < size; ++i)
      all_[i].call<&asker::ask_next>(all_[(i + 1) % size]);
  }
  cycle(const cycle&) = delete;
  cycle& operator=(const cycle&) = delete;

  /// Else they would keep each other alive.
  ~cycle() {
    for (const auto& each : all_)
      each.call<&asker::ask_next>(std::nullopt);
  }

  [[nodiscard]] const std::vector<proxy<asker>>& all() const {
    return all_;
  }

private:
  std::vector<proxy<asker>> all_;
};

enum class came { with_a_value, with_would_deadlock, not_at_all };

came outcome(held::future<int> of) {
  if (of.wait_for(60s) != std::future_status::ready)
    return came::not_at_all;
  try {
    of.get();
    return came::with_a_value;
  } catch (const troupe::would_deadlock&) {
    return came::with_would_deadlock;
  }
}

} // namespace

TEST_CASE("a call that closes a cycle of states is told that it would wait "
          "for ever") {
  for (const int size : {2, 3, 5}) {
    CAPTURE(size);
    const cycle states{static_cast<std::size_t>(size)};
    const auto& all = states.all();
    REQUIRE(outcome(all[0].call_async<&asker::ask>(size))
            == came::with_would_deadlock);
    // All are as they were.
    for (const auto& each : all)
      CHECK(each.call<&asker::ask>(size - 1) == size - 1);
  }
}

TEST_CASE("so is one of those that begin a cycle at several places") {
  const cycle states{3};
  const auto& all = states.all();
  for (int turn = 0; turn < 20; ++turn) {
    const troupe::value<int> begun;
    std::vector<held::future<int>> results;
    for (const auto& each : all)
      results.push_back(each.call_async<&asker::ask_together>(begun, 3));
    int refused = 0;
    for (auto& each : results) {
      const auto how = outcome(std::move(each));
      REQUIRE(how != came::not_at_all);
      refused += how == came::with_would_deadlock ? 1 : 0;
    }
    CHECK(refused >= 1);
  }
}

TEST_CASE("states that call each other one after the other make no cycle") {
  const cycle states{2};
  const auto& all = states.all();
  for (int turn = 0; turn < 1000; ++turn) {
    REQUIRE(all[0].call<&asker::ask>(1) == 1);
    REQUIRE(all[1].call<&asker::ask>(1) == 1);
  }
  // Two that call a third at once wait for it one after the other.
  const state shared;
  const auto last = shared.make<asker>();
  for (const auto& each : all)
    each.call<&asker::ask_next>(last);
  std::vector<std::thread> clients;
  std::atomic<int> right = 0;
  for (const auto& each : all)
    clients.emplace_back([&right, each] {
      for (int turn = 0; turn < 1000; ++turn)
        right += each.call<&asker::ask>(1);
    });
  for (auto& each : clients)
    each.join();
  CHECK(right == 2000);
}
