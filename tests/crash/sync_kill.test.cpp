// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/recursive_mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>
#include <troupe/shared/value.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>
#include <support/stopped.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::test::eventually;
using troupe::test::seed;

namespace {

/// What all processes of a test work on, and what they find wrong.
struct stage {
  troupe::mutex lock;
  troupe::recursive_mutex again;
  troupe::semaphore units{2};
  troupe::condition changed;
  troupe::event news;
  /// Written under `lock`: the two are equal unless an owner died in between.
  troupe::value<long> number;
  troupe::value<long> twin;
  /// The pid of who is inside `lock`.
  troupe::value<int> inside;
  troupe::value<long> wrong;
  troupe::value<long> steps;
  troupe::value<int> stop;

  void save(troupe::codec::encoder& to) const {
    to.save(lock);
    to.save(again);
    to.save(units);
    to.save(changed);
    to.save(news);
    for (const auto* each : {&number, &twin, &wrong, &steps})
      to.save(*each);
    to.save(inside);
    to.save(stop);
  }

  static stage load(troupe::codec::decoder& from) {
    auto lock = from.load<troupe::mutex>();
    auto again = from.load<troupe::recursive_mutex>();
    auto units = from.load<troupe::semaphore>();
    auto changed = from.load<troupe::condition>();
    auto news = from.load<troupe::event>();
    auto number = from.load<troupe::value<long>>();
    auto twin = from.load<troupe::value<long>>();
    auto wrong = from.load<troupe::value<long>>();
    auto steps = from.load<troupe::value<long>>();
    auto inside = from.load<troupe::value<int>>();
    auto stop = from.load<troupe::value<int>>();
    return {lock, again,  units, changed, news, number,
            twin, inside, wrong, steps,   stop};
  }
};

void be_inside(const stage& on, bool owner_died) {
  const int before = on.inside.exchange(troupe::os::this_pid());
  if (before != 0 && !owner_died)
    ++on.wrong;
  if (owner_died)
    on.twin.raw() = on.number.raw();
  else if (on.twin.raw() != on.number.raw())
    ++on.wrong;
  on.number.raw() = on.number.raw() + 1;
  on.twin.raw() = on.twin.raw() + 1;
  on.inside.store(0);
}

/// Some hold what they have long enough for others to go to sleep.
void linger(unsigned which) {
  // Time: an input.
  if (which / 8 % 8 == 0)
    std::this_thread::sleep_for(100us);
}

void do_step(const stage& on, unsigned which) {
  switch (which % 8) {
    case 0: {
      const auto granted = on.lock.try_acquire_for(1ms);
      if (!granted)
        return;
      be_inside(on, granted->owner_died);
      on.lock.unlock();
      return;
    }
    case 1: {
      const std::scoped_lock once{on.again};
      const std::scoped_lock twice{on.again};
      return;
    }
    case 2:
      on.units.acquire();
      linger(which);
      on.units.release();
      return;
    case 3:
      if (on.units.try_acquire_for(1ms))
        on.units.release();
      return;
    case 4: {
      std::unique_lock guard{on.again};
      on.changed.wait_for(guard, 200us);
      return;
    }
    case 5:
      on.changed.notify(2);
      on.news.set();
      on.news.clear();
      return;
    case 6: static_cast<void>(on.news.wait_for(100us)); return;
    default: {
      const auto granted = on.lock.acquire();
      be_inside(on, granted.owner_died);
      linger(which);
      on.lock.unlock();
      return;
    }
  }
}

/// Works until told to stop, or for `most` steps.
void work(const stage& on, unsigned seed, unsigned long most) {
  std::minstd_rand random{seed};
  for (unsigned long i = 0; i < most && on.stop.load() == 0; ++i) {
    do_step(on, static_cast<unsigned>(random() >> 8));
    ++on.steps;
  }
}

constexpr auto no_end = ~0UL;

void work_on(stage on, unsigned seed) {
  troupe::os::arm_crash_point({});
  work(on, seed, no_end);
}

void work_until(stage on, unsigned seed, std::string point) {
  troupe::os::arm_crash_point(point, 1 + seed % 5);
  work(on, seed, 20000);
  troupe::os::arm_crash_point({});
}

/// Everybody goes on: the steps grow by some hundred.
bool goes_on(const stage& on) {
  const auto before = on.steps.load();
  return eventually([&] { return on.steps.load() > before + 300; });
}

bool is_at_rest(const stage& on) {
  return !on.lock.is_locked() && !on.again.is_locked() && on.units.value() == 2
         && on.lock.waiters().empty() && on.again.waiters().empty()
         && on.wrong.load() == 0;
}

void kill_fork_server() {
  troupe::os::send_signal(
    {troupe::memory::run_memory::current().header().fork_server.load(), 0},
    SIGKILL);
}

/// Where the root `pid` of a run says at which point its next fork server dies.
std::filesystem::path order_of(std::int32_t pid) {
  return std::filesystem::temp_directory_path()
         / ("troupe-crash-point-" + std::to_string(pid));
}

/// A fork server executes this program anew, as a child of the root, with the
/// environment of the run's start: that says nothing of later orders.
const bool armed_by_order = [] {
  const auto order = order_of(::getppid());
  std::ifstream file{order};
  std::string point;
  unsigned countdown = 0;
  if (!(file >> point >> countdown))
    return false;
  std::filesystem::remove(order);
  troupe::os::arm_crash_point(point, countdown);
  return true;
}();

/// Ends the fork server; the next one, which is returned, dies at `point`.
auto arm_next_fork_server(const std::string& point, unsigned countdown) {
  auto& server = troupe::memory::run_memory::current().header().fork_server;
  const auto order = order_of(troupe::os::this_pid());
  std::ofstream{order} << point << ' ' << countdown;
  // The one that takes the order may not be the first: the last may have been
  // ended only just now, and the next have looked for orders before this one. A
  // server has done that before the header names it.
  CHECK(eventually([&] {
    const auto serving = server.load();
    if (!std::filesystem::exists(order))
      return true;
    troupe::os::send_signal({serving, 0}, SIGKILL);
    return false;
  }));
  auto armed = server.load();
  CHECK(eventually([&] {
    return std::exchange(armed, server.load()) == armed
           && troupe::test::activity_of(armed) == 'S';
  }));
  return armed;
}

/// Processes that do not outlive a test that fails.
struct gang : std::vector<troupe::process> {
  gang() = default;
  gang(gang&&) = default;
  gang& operator=(gang&&) = default;

  ~gang() {
    for (auto& each : *this)
      if (each.joinable())
        each.kill();
  }
};

gang start_workers(const stage& on, int count) {
  gang result;
  for (int i = 0; i < count; ++i)
    result.push_back(
      troupe::start<work_on>(on, seed() + static_cast<unsigned>(i)));
  return result;
}

/// What stands in shared memory, for who looks into a failure.
std::string describe(const stage& on) {
  std::string result;
  const auto of_lock = [&](const char* name, const auto& lock) {
    result += std::string{name} + ": ";
    if (const auto owner = lock.holder())
      result += owner->description();
    for (const auto& each : lock.waiters())
      result += "; waits: " + each.description();
    result += "\n";
  };
  of_lock("mutex", on.lock);
  of_lock("recursive_mutex", on.again);
  return result + "units: " + std::to_string(on.units.value())
         + ", steps: " + std::to_string(on.steps.load())
         + ", wrong: " + std::to_string(on.wrong.load());
}

void end(const stage& on, gang& workers) {
  on.stop.store(1);
  for (auto& each : workers)
    CHECK_MESSAGE(each.join_for(60s), describe(on));
  CHECK_MESSAGE(is_at_rest(on), describe(on));
}

} // namespace

TEST_CASE("a process is killed at each named point, and nobody else notices") {
  const char* points[] = {
    "sync.robust_lock.locked",
    "sync.robust_lock.unlocked",
    "sync.wait_queue.enqueued",
    "sync.wait_queue.left",
    "sync.wait_queue.before_wake",
    "sync.lock.taken",
    "sync.lock.woken",
    "sync.lock.settling",
    "sync.unlock.before",
    "sync.unlock.before_wake",
    "sync.semaphore.entered",
    "sync.semaphore.half",
    "sync.semaphore.given",
    "sync.semaphore.woken",
    "sync.condition.woken",
    "sync.condition.notified",
    "sync.event.set",
  };
  const stage on;
  auto workers = start_workers(on, 3);
  for (const std::string point : points)
    for (unsigned i = 0, hits = 0; i < 5 || (hits == 0 && i < 20); ++i) {
      CAPTURE(point);
      gang victim;
      victim.push_back(troupe::start<work_until>(on, seed() + i, point));
      REQUIRE_MESSAGE(victim[0].join_for(60s), describe(on));
      // Some points are reached only where several meet.
      hits += victim[0].status()->signal() == SIGKILL ? 1 : 0;
      CHECK((hits > 0 || i < 19));
      REQUIRE_MESSAGE(goes_on(on), describe(on));
    }
  end(on, workers);
}

TEST_CASE(
  "who is killed while it makes the wait queue of a lock is missed by nobody") {
  for (const std::string name :
       {"memory.late.made", "memory.late.named", "memory.late.owned",
        "sync.wait_queue.ready"}) {
    CAPTURE(name);
    const troupe::mutex lock;
    lock.lock();
    const auto wait_for_lock = [](troupe::mutex of, std::string at) {
      if (!at.empty())
        troupe::os::arm_crash_point(at.c_str(), 1);
      const std::scoped_lock inside{of};
    };
    gang those;
    those.push_back(troupe::start(wait_for_lock, lock, name));
    REQUIRE(those[0].join_for(60s));
    CHECK(those[0].status()->signal() == SIGKILL);
    CHECK(lock.waiters().empty());
    those.push_back(troupe::start(wait_for_lock, lock, std::string{}));
    CHECK(eventually([&] { return lock.waiters().size() == 1; }));
    lock.unlock();
    REQUIRE(those[1].join_for(60s));
    CHECK(those[1].status()->code() == 0);
  }
}

TEST_CASE("who sets an event and is killed before it wakes anybody has set it "
          "also for who waits for several things") {
  const troupe::queue<int> numbers;
  for (int i = 0; i < 20; ++i) {
    const troupe::event news;
    auto setter = troupe::start(
      [](troupe::event of) {
        troupe::os::arm_crash_point("sync.event.set");
        of.set();
      },
      news);
    REQUIRE(troupe::wait_any(numbers, news, 60s) == 1);
    CHECK(setter.join().signal() == SIGKILL);
  }
}

namespace {

void hand_over_and_die(troupe::mutex lock, troupe::event held, troupe::event go,
                       const std::string& point) {
  lock.lock();
  held.set();
  go.wait();
  troupe::os::arm_crash_point(point);
  lock.unlock();
}

void wait_for_lock(troupe::mutex lock) {
  lock.lock();
  lock.unlock();
}

} // namespace

TEST_CASE("who hands the lock over is killed before it wakes the other") {
  std::string point = "sync.unlock.handed_over";
  SUBCASE("and is no more the owner") {
  }
  SUBCASE("and still is the owner") {
    point = "sync.unlock.marked";
  }
  const troupe::mutex lock;
  const troupe::event held;
  const troupe::event go;
  gang all;
  all.push_back(troupe::start<hand_over_and_die>(lock, held, go, point));
  held.wait();
  all.push_back(troupe::start<wait_for_lock>(lock));
  REQUIRE(eventually([&] { return !lock.waiters().empty(); }));
  auto standing = lock.word().waiters();
  // It was overtaken for too long, it finds.
  auto* const first = standing.first();
  first->mark.store(lock.fence()
                    - 2 * troupe::sync::mutex_word::most_overtakes);
  REQUIRE(eventually([&] {
    standing.notify(*first);
    return lock.word().is_owed();
  }));
  go.set();
  REQUIRE(all[0].join_for(60s));
  CHECK(all[0].status()->signal() == SIGKILL);
  REQUIRE(all[1].join_for(60s));
  CHECK(all[1].status()->success());
}

namespace {

void hold_a_unit(stage on, troupe::event held) {
  troupe::os::arm_crash_point({});
  on.units.acquire();
  held.set();
  troupe::test::sleep_for_ever();
}

} // namespace

TEST_CASE("whoever repairs is killed while it does") {
  const char* points[] = {"sync.repair.taken",           "sync.repair.removed",
                          "sync.repair.returned",        "sync.wait_queue.left",
                          "sync.wait_queue.before_wake", "sync.semaphore.half"};
  const stage on;
  auto workers = start_workers(on, 3);
  const auto& server
    = troupe::memory::run_memory::current().header().fork_server;
  for (const std::string point : points)
    for (const unsigned count : {1U, 3U}) {
      CAPTURE(point);
      const auto before = arm_next_fork_server(point, count);
      // It has to reclaim until it dies of that; which of the killed stood in
      // the line is chance.
      const auto end = std::chrono::steady_clock::now() + 60s;
      for (int i = 0; server.load() == before
                      && (i < 30 || std::chrono::steady_clock::now() < end);
           ++i) {
        const troupe::event held;
        auto victim = i % 2 == 0 ? troupe::start<work_on>(on, seed())
                                 : troupe::start<hold_a_unit>(on, held);
        // Time: the moment of the kill is the input of the test.
        if (i % 2 == 0)
          std::this_thread::sleep_for(1ms);
        else
          held.wait();
        victim.kill();
        REQUIRE(victim.join_for(120s));
      }
      CHECK(eventually([&] { return server.load() != before; }));
      REQUIRE_MESSAGE(goes_on(on), describe(on));
    }
  kill_fork_server();
  end(on, workers);
}

namespace {

void sleep_once(troupe::condition changed, troupe::mutex lock,
                troupe::event woken) {
  troupe::os::arm_crash_point({});
  std::unique_lock guard{lock};
  changed.wait(guard);
  woken.set();
}

std::size_t asleep_at(const troupe::condition& changed) {
  std::size_t count = 0;
  changed.state().waiters().for_each([&](auto&) { ++count; });
  return count;
}

int arrive(troupe::barrier all) {
  troupe::os::arm_crash_point({});
  try {
    all.arrive_and_wait();
    return 1;
  } catch (const troupe::broken_barrier&) {
    return 0;
  }
}

} // namespace

TEST_CASE("whoever passes a dead sleeper's news on is killed before it wakes "
          "the next") {
  const auto& server
    = troupe::memory::run_memory::current().header().fork_server;
  const auto armed = arm_next_fork_server("sync.repair.passed_on", 1);
  const troupe::condition changed;
  const troupe::mutex lock;
  const troupe::event woken;
  gang sleepers;
  for (std::size_t count = 1; count <= 2; ++count) {
    sleepers.push_back(troupe::start<sleep_once>(changed, lock, woken));
    REQUIRE(eventually([&] { return asleep_at(changed) == count; }));
  }
  // Stopped, it cannot take its notification; then it dies with it.
  REQUIRE(troupe::test::stop(sleepers[0].pid()));
  CHECK(changed.notify(1) == 1);
  CHECK(!woken.is_set());
  sleepers[0].kill();
  CHECK(woken.wait_for(60s));
  CHECK(eventually([&] { return server.load() != armed; }));
  CHECK(sleepers[1].join_for(60s));
  CHECK(sleepers[1].status()->success());
  CHECK(changed.notify(1) == 0);
}

TEST_CASE("whoever breaks a dead party's barrier is killed before it wakes the "
          "others") {
  const auto& server
    = troupe::memory::run_memory::current().header().fork_server;
  const auto armed = arm_next_fork_server("sync.repair.broken", 1);
  const troupe::barrier all{4};
  gang parties;
  for (int i = 0; i < 3; ++i)
    parties.push_back(troupe::start<arrive>(all));
  REQUIRE(eventually([&] { return all.waiting() == 3; }));
  parties[0].kill();
  for (std::size_t i = 1; i < 3; ++i) {
    CHECK(parties[i].join_for(60s));
    CHECK(parties[i].status()->success());
  }
  CHECK(all.is_broken());
  CHECK(eventually([&] { return server.load() != armed; }));
}

TEST_CASE("processes are killed at random, and locks keep excluding") {
  std::minstd_rand random{seed()};
  const char* wanted = std::getenv("TROUPE_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 2000;
  const stage on;
  auto workers = start_workers(on, 3);
  for (int i = 0; i < kills; ++i) {
    const auto victim = random() % workers.size();
    const auto start = on.steps.load();
    const auto lead = static_cast<long>(random() % 64);
    REQUIRE(eventually([&] { return on.steps.load() > start + lead; }));
    if (random() % 100 == 0)
      kill_fork_server();
    workers[victim].kill();
    REQUIRE(workers[victim].join_for(60s));
    workers[victim] = troupe::start<work_on>(on,
                                             static_cast<unsigned>(random()));
  }
  REQUIRE_MESSAGE(goes_on(on), describe(on));
  end(on, workers);
}

namespace {

void make_and_hold(troupe::value<std::uint64_t> made, troupe::event done) {
  const troupe::mutex lock;
  const std::scoped_lock guard{lock};
  made.set(lock.id());
  done.set();
  troupe::event{}.wait();
}

void create_and_pass(stage on, troupe::event ready) {
  const std::scoped_lock guard{on.lock};
  ready.set();
  troupe::event{}.wait();
}

void go_round(troupe::barrier all, std::string point, unsigned count) {
  troupe::os::arm_crash_point(point, count);
  try {
    for (int i = 0; i < 1000; ++i)
      all.arrive_and_wait();
  } catch (const troupe::broken_barrier&) {
  }
  troupe::os::arm_crash_point({});
}

} // namespace

TEST_CASE("a creator's death takes nothing from the others") {
  const stage on;
  const troupe::event ready;
  auto holder = troupe::start<create_and_pass>(on, ready);
  ready.wait();
  auto workers = start_workers(on, 2);
  holder.kill();
  CHECK_MESSAGE(goes_on(on), describe(on));
  end(on, workers);
}

TEST_CASE("a mutex that only the dead knew is gone") {
  const troupe::value<std::uint64_t> made;
  const troupe::event done;
  auto maker = troupe::start<make_and_hold>(made, done);
  done.wait();
  auto& memory = troupe::memory::run_memory::current();
  CHECK(memory.find_object(made.get(), troupe::memory::object_kind::mutex)
        != nullptr);
  maker.kill();
  maker.join();
  CHECK(memory.find_object(made.get(), troupe::memory::object_kind::mutex)
        == nullptr);
}

TEST_CASE("a party of a barrier is killed at each named point") {
  for (const std::string point :
       {"sync.barrier.arrived", "sync.barrier.changed", "sync.barrier.woken",
        "sync.barrier.left", "mailbox.wait.prepared", "mailbox.wait.woken"})
    for (unsigned count = 1; count < 6; ++count) {
      CAPTURE(point);
      const troupe::barrier all{3};
      auto victim = troupe::start<go_round>(all, point, count);
      auto one = troupe::start<go_round>(all, "", 0U);
      auto two = troupe::start<go_round>(all, "", 0U);
      REQUIRE(victim.join_for(60s));
      REQUIRE(one.join_for(60s));
      REQUIRE(two.join_for(60s));
      CHECK(all.is_broken() == (victim.status()->signal() == SIGKILL));
    }
}
