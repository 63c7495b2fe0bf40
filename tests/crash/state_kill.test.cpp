// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::eventually;
using troupe::test::seed;

namespace {

using numbers = held::list<int>;

/// What all clients of a test work on.
struct stage {
  state here;
  held::value<long> count;
  held::mutex lock;
  held::queue<int> tasks;
  held::dict<std::string, numbers> lists;
  /// How many additions are answered, by all clients.
  troupe::value<long> answered;
  troupe::value<int> stop;

  static stage make() {
    const state here;
    return {here,
            here.make<held::value<long>>(0L),
            here.make<held::mutex>(),
            here.make<held::queue<int>>(),
            here.make<held::dict<std::string, numbers>>(),
            troupe::value<long>{0},
            troupe::value<int>{0}};
  }

  void save(troupe::codec::encoder& to) const {
    to.save(here);
    to.save(count);
    to.save(lock);
    to.save(tasks);
    to.save(lists);
    to.save(answered);
    to.save(stop);
  }

  static stage load(troupe::codec::decoder& from) {
    auto here = from.load<state>();
    auto count = from.load<held::value<long>>();
    auto lock = from.load<held::mutex>();
    auto tasks = from.load<held::queue<int>>();
    auto lists = from.load<held::dict<std::string, numbers>>();
    auto answered = from.load<troupe::value<long>>();
    auto stop = from.load<troupe::value<int>>();
    return {here, count, lock, tasks, lists, answered, stop};
  }
};

/// Objects that a stage holds when nobody works.
constexpr std::uint64_t at_rest = 4;

void do_step(const stage& on, unsigned which, const std::string& mine) {
  switch (which % 6) {
    case 0:
      on.count += 1;
      ++on.answered;
      return;
    case 1:
      if (on.lock.try_lock_for(1ms))
        on.lock.unlock();
      return;
    case 2: {
      auto item = on.tasks.call_async<&held::waiting_queue<int>::get>();
      on.tasks.put(1);
      // Another may have taken the item and died.
      if (item.wait_for(1ms) == std::future_status::ready)
        static_cast<void>(item.get());
      return;
    }
    case 3:
      on.lists.set(mine, on.here.make<numbers>({1, 2}));
      on.lists.at(mine).push_back(3);
      on.lists.erase(mine);
      return;
    case 4: static_cast<void>(troupe::wait_any(on.tasks, 200us)); return;
    default: static_cast<void>(on.tasks.try_get_for(200us)); return;
  }
}

void work(stage on, unsigned seed, std::string point) {
  // Behind what opens the way to the state.
  troupe::os::arm_crash_point(point, point.empty() ? 1 : 10 + seed % 30);
  std::minstd_rand random{seed};
  const auto mine = std::to_string(seed);
  for (int i = 0; on.stop.load() == 0 && (point.empty() || i < 400); ++i)
    do_step(on, static_cast<unsigned>(random() >> 8), mine);
  troupe::os::arm_crash_point({});
}

/// All that the dead had is free, and what was answered has happened.
void check_rest(const stage& on, long kills) {
  CHECK(eventually([&] { return !on.lock.is_locked(); }));
  on.lists.clear();
  CHECK(eventually([&] { return on.here.size() == at_rest; }));
  const auto sum = on.count.get();
  CHECK(sum >= on.answered.load());
  CHECK(sum <= on.answered.load() + kills);
}

} // namespace

TEST_CASE(
  "a client killed at any point leaves the state and the others whole") {
  const auto on = stage::make();
  std::vector<troupe::process> others;
  for (unsigned i = 0; i < 2; ++i)
    others.push_back(troupe::start<work>(on, seed() + i, ""));
  long kills = 0;
  for (const auto* point :
       {"state.call.before_post", "state.call.posted", "state.pipe.offered",
        "state.release.marked", "mailbox.put.before_commit",
        "mailbox.put.committed", "mailbox.take.before_commit",
        "mailbox.take.committed", "memory.attach.marked", "memory.drop.cleared",
        "memory.create.published"})
    for (unsigned i = 0; i < 4; ++i) {
      INFO(std::string{point});
      auto victim = troupe::start<work>(on, seed() + 10 + i, point);
      const auto before = on.answered.load();
      victim.join();
      ++kills;
      CHECK(eventually([&] { return on.answered.load() > before + 10; }));
    }
  on.stop.store(1);
  for (auto& each : others)
    CHECK(each.join().success());
  check_rest(on, kills);
}

TEST_CASE("clients killed at random times take nothing along but their own") {
  const auto on = stage::make();
  std::minstd_rand random{seed()};
  auto other = troupe::start<work>(on, seed(), "");
  constexpr long kills = 150;
  for (unsigned i = 0; i < kills; ++i) {
    const troupe::event ready;
    auto victim = troupe::start(
      [](stage with, unsigned seed, troupe::event tell) {
        tell.set();
        work(with, seed, "");
      },
      on, seed() + 1 + i, ready);
    // While it reads its arguments their handles are nobody's.
    ready.wait();
    troupe::test::sleep_at_random(random, 3ms);
    victim.kill();
  }
  on.stop.store(1);
  CHECK(other.join().success());
  check_rest(on, kills);
}

TEST_CASE("a state killed at any point fails its calls at once") {
  for (const auto* point :
       {"state.serve.before_call", "state.serve.before_answer",
        "state.serve.answered", "mailbox.take.before_commit",
        "mailbox.take.committed", "mailbox.put.before_commit",
        "mailbox.put.committed", "memory.create.published",
        "memory.attach.marked"}) {
    INFO(std::string{point});
    const auto on = stage::make();
    std::vector<troupe::process> clients;
    for (unsigned i = 0; i < 3; ++i)
      clients.push_back(troupe::start(
        [](stage with, unsigned seed) {
          try {
            work(with, seed, "");
          } catch (const troupe::peer_died&) {
            return;
          }
          std::exit(3);
        },
        on, seed() + i));
    CHECK(eventually([&] { return on.answered.load() > 20; }));
    try {
      on.here.run([](std::string at) { troupe::os::arm_crash_point(at, 5); },
                  std::string{point});
    } catch (const troupe::peer_died&) {
    }
    for (auto& each : clients)
      CHECK(each.join().success());
    CHECK_THROWS_AS(static_cast<void>(on.count.get()), troupe::peer_died);
  }
}

TEST_CASE("a process killed while it makes a state leaves none behind") {
  auto maker = troupe::start([] {
    troupe::os::arm_crash_point("state.start.ready");
    const state here;
  });
  maker.join();
  auto last = troupe::start([] {
    const state here;
    troupe::os::arm_crash_point("state.end.marked");
  });
  last.join();

  CHECK(maker.status()->signaled());
  CHECK(last.status()->signaled());
}
