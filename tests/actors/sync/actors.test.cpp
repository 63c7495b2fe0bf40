// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier_actor.hpp>
#include <troupe/sync/condition_actor.hpp>
#include <troupe/sync/event_actor.hpp>
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/sync/semaphore_actor.hpp>
#include <troupe/sync/services.hpp>

#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using troupe::errc;
using troupe::test::eventually;

namespace {

/// Ends the services host with the test, which must leave no process.
struct services_scope {
  services_scope() = default;
  services_scope(const services_scope&) = delete;
  services_scope& operator=(const services_scope&) = delete;
  ~services_scope() {
    troupe::sync::services::end();
  }
};

/// An actor that asks in the way of this thread.
class asker {
public:
  template <class Result, class Handle, class... Args>
  std::optional<Result> ask(const Handle& whom, const Args&... args) {
    std::optional<Result> result;
    last = errc::none;
    self_->request(whom, caf::infinite, args...)
      .receive([&](const Result& value) { result = value; },
               [&](const caf::error& why) { note(why); });
    return result;
  }

  template <class Handle, class... Args>
  bool tell(const Handle& whom, const Args&... args) {
    bool good = false;
    last = errc::none;
    self_->request(whom, caf::infinite, args...)
      .receive([&] { good = true; }, [&](const caf::error& why) { note(why); });
    return good;
  }

  errc last = errc::none;

private:
  void note(const caf::error& why) {
    last = troupe::transport::code_of(why);
    if (last == errc::none)
      last = errc::peer_died;
  }

  caf::scoped_actor self_{troupe::actor_system()};
};

void count_by_lock(troupe::mutex lock, troupe::value<long> number, int times) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock guard{lock};
    number.raw() = number.raw() + 1;
  }
}

void count_by_message(troupe::mutex lock, troupe::value<long> number,
                      int times) {
  const auto actor = actor_of(lock);
  asker self;
  for (int i = 0; i < times; ++i) {
    if (!self.ask<troupe::grant>(actor, troupe::acquire_atom_v))
      std::exit(1);
    number.raw() = number.raw() + 1;
    if (!self.tell(actor, troupe::release_atom_v))
      std::exit(2);
  }
}

/// Acquires and stays, as an actor in a host that a test kills.
caf::behavior holder(caf::event_based_actor* self, troupe::mutex lock,
                     troupe::event held) {
  self->request(actor_of(lock), caf::infinite, troupe::acquire_atom_v)
    .then([held](const troupe::grant&) { held.set(); });
  return {[](int) {}};
}

} // namespace

TEST_CASE_TEMPLATE("a free lock costs no message", Mutex, troupe::mutex,
                   troupe::recursive_mutex) {
  troupe::sync::services::end();
  const Mutex lock;
  for (int i = 0; i < 1000; ++i) {
    const std::scoped_lock guard{lock};
  }
  // Messages go to the actor in the services host, and there is none.
  CHECK_FALSE(troupe::sync::services::process());
}

TEST_CASE("threads and actors exclude each other") {
  const services_scope scope;
  const troupe::mutex lock;
  const troupe::value<long> number{0};
  {
    std::vector<troupe::process> all;
    for (int i = 0; i < 2; ++i) {
      all.push_back(troupe::start<count_by_lock>(lock, number, 5000));
      all.push_back(troupe::start<count_by_message>(lock, number, 300));
    }
    for (auto& each : all)
      CHECK(each.join().success());
  }
  CHECK(number.get() == 2 * 5300);
  CHECK_FALSE(lock.is_locked());
}

TEST_CASE("a mutex actor grants, queues, times out and refuses") {
  const services_scope scope;
  const troupe::mutex lock;
  const auto actor = actor_of(lock);
  asker first;
  asker second;
  const auto granted = first.ask<troupe::grant>(actor, troupe::acquire_atom_v);
  REQUIRE(granted);
  CHECK(granted->fence > 0);
  CHECK_FALSE(granted->owner_died);
  CHECK_FALSE(lock.try_lock());
  const auto owner = lock.holder();
  REQUIRE(owner);
  CHECK(owner->is_actor);
  CHECK(first.ask<std::string>(actor, troupe::query_atom_v)->find("actor")
        != std::string::npos);
  CHECK_FALSE(first.ask<troupe::grant>(actor, troupe::acquire_atom_v));
  CHECK(first.last == errc::would_deadlock);
  CHECK_FALSE(second.ask<troupe::grant>(actor, troupe::acquire_atom_v,
                                        caf::timespan{20ms}));
  CHECK(second.last == errc::timed_out);
  CHECK(lock.waiters().empty());
  CHECK_FALSE(second.tell(actor, troupe::release_atom_v));
  CHECK(second.last == errc::not_owner);
  CHECK_THROWS_AS(lock.unlock(), troupe::not_owner);
  std::jthread releaser{[&] {
    static_cast<void>(eventually([&] { return lock.waiters().size() == 1; }));
    first.tell(actor, troupe::release_atom_v);
  }};
  const auto next = second.ask<troupe::grant>(actor, troupe::acquire_atom_v);
  REQUIRE(next);
  CHECK(next->fence == granted->fence + 1);
  CHECK(second.tell(actor, troupe::release_atom_v));
  CHECK(lock.try_lock());
  lock.unlock();
}

TEST_CASE("an actor acquires a recursive mutex twice") {
  const services_scope scope;
  const troupe::recursive_mutex lock;
  const auto actor = actor_of(lock);
  asker self;
  CHECK(self.ask<troupe::grant>(actor, troupe::acquire_atom_v));
  CHECK(self.ask<troupe::grant>(actor, troupe::acquire_atom_v));
  CHECK(self.tell(actor, troupe::release_atom_v));
  CHECK(lock.is_locked());
  CHECK(self.tell(actor, troupe::release_atom_v));
  CHECK_FALSE(lock.is_locked());
}

TEST_CASE("an actor that asks twice gets the lock twice, and not at once") {
  const services_scope scope;
  const troupe::mutex lock;
  const auto actor = actor_of(lock);
  lock.lock();
  caf::scoped_actor self{troupe::actor_system()};
  auto first = self->request(actor, caf::infinite, troupe::acquire_atom_v);
  auto second = self->request(actor, caf::infinite, troupe::acquire_atom_v);
  REQUIRE(eventually([&] { return lock.waiters().size() == 2; }));
  lock.unlock();
  int answered = 0;
  const auto note = [&](const troupe::grant&) { ++answered; };
  const auto fail = [](const caf::error& why) { FAIL(caf::to_string(why)); };
  const auto tell = [&](const auto&... what) {
    self->request(actor, caf::infinite, what...).receive([] {}, fail);
  };
  first.receive(note, fail);
  // As the wait thread does that has been notified for something else.
  for (std::uint64_t key = 0; key < 16; ++key)
    tell(troupe::woken_atom_v, key);
  CHECK(lock.waiters().size() == 1);
  tell(troupe::release_atom_v);
  second.receive(note, fail);
  CHECK(answered == 2);
  CHECK(lock.is_locked());
  tell(troupe::release_atom_v);
  CHECK_FALSE(lock.is_locked());
}

TEST_CASE("an actor that ends gives its lock up, and so does its process") {
  const services_scope scope;
  const troupe::mutex lock;
  {
    asker brief;
    CHECK(brief.ask<troupe::grant>(actor_of(lock), troupe::acquire_atom_v));
  }
  REQUIRE(lock.try_lock_for(20s));
  CHECK(lock.owner_died());
  lock.unlock();
  const troupe::event held;
  troupe::host victim{"victim"};
  const auto actor = victim.spawn<holder>(lock, held);
  held.wait();
  victim.kill();
  REQUIRE(lock.try_lock_for(20s));
  CHECK(lock.owner_died());
  lock.unlock();
}

TEST_CASE("locks keep excluding when the services host is killed") {
  const services_scope scope;
  const troupe::mutex lock;
  auto first = std::make_optional<asker>();
  const auto before = actor_of(lock);
  REQUIRE(first->ask<troupe::grant>(before, troupe::acquire_atom_v));
  asker second;
  std::jthread killer{[&] {
    static_cast<void>(eventually([&] { return lock.waiters().size() == 1; }));
    troupe::sync::services::end();
  }};
  // A request that waits fails at once.
  CHECK_FALSE(second.ask<troupe::grant>(before, troupe::acquire_atom_v));
  CHECK(second.last == errc::peer_died);
  killer.join();
  REQUIRE(eventually([&] { return lock.waiters().empty(); }));
  CHECK(lock.is_locked());
  CHECK_FALSE(lock.try_lock());
  // The next one knows who owns the lock.
  const auto after = actor_of(lock);
  CHECK(after != before);
  CHECK_FALSE(second.ask<troupe::grant>(after, troupe::acquire_atom_v,
                                        caf::timespan{10ms}));
  SUBCASE("the owner releases") {
    CHECK(first->tell(after, troupe::release_atom_v));
    CHECK(lock.try_lock());
    CHECK_FALSE(lock.owner_died());
  }
  SUBCASE("the owner ends") {
    first.reset();
    REQUIRE(lock.try_lock_for(20s));
    CHECK(lock.owner_died());
  }
  lock.unlock();
}

TEST_CASE("threads and actors share units") {
  const services_scope scope;
  const troupe::semaphore units{2};
  const auto actor = actor_of(units);
  {
    asker self;
    CHECK(self.tell(actor, troupe::acquire_atom_v));
    CHECK(self.ask<std::int64_t>(actor, troupe::query_atom_v) == 1);
    units.acquire();
    CHECK_FALSE(self.tell(actor, troupe::acquire_atom_v, caf::timespan{10ms}));
    CHECK(self.last == errc::timed_out);
    std::jthread releaser{[&] {
      static_cast<void>(
        eventually([&] { return !units.units().waiters().empty(); }));
      units.release();
    }};
    CHECK(self.tell(actor, troupe::acquire_atom_v));
    releaser.join();
    CHECK(self.tell(actor, troupe::release_atom_v));
    CHECK(units.value() == 1);
  }
  // The unit that the actor had when it ended.
  CHECK(eventually([&] { return units.value() == 2; }));
  const troupe::bounded_semaphore bounded{1};
  asker self;
  CHECK_FALSE(self.tell(actor_of(bounded), troupe::release_atom_v));
  CHECK(self.last == errc::invalid_state);
}

TEST_CASE("an actor waits for an event") {
  const services_scope scope;
  const troupe::event news;
  const auto actor = actor_of(news);
  asker self;
  CHECK(self.ask<bool>(actor, troupe::query_atom_v) == false);
  CHECK_FALSE(self.tell(actor, troupe::wait_atom_v, caf::timespan{10ms}));
  CHECK(self.last == errc::timed_out);
  auto setter = troupe::start([](troupe::event other) { other.set(); }, news);
  CHECK(self.tell(actor, troupe::wait_atom_v));
  CHECK(self.tell(actor, troupe::clear_atom_v));
  CHECK_FALSE(news.is_set());
  CHECK(self.tell(actor, troupe::set_atom_v));
  CHECK(news.is_set());
}

TEST_CASE("actors and threads meet at a barrier") {
  const services_scope scope;
  const troupe::barrier all{3};
  const auto actor = actor_of(all);
  for (int round = 0; round < 3; ++round) {
    auto other = troupe::start(
      [](troupe::barrier each) { each.arrive_and_wait(); }, all);
    std::jthread thread{[&] { all.arrive_and_wait(); }};
    asker self;
    const auto index = self.ask<std::uint32_t>(actor, troupe::arrive_atom_v);
    REQUIRE(index);
    CHECK(*index < 3);
  }
  asker self;
  CHECK_FALSE(
    self.ask<std::uint32_t>(actor, troupe::arrive_atom_v, caf::timespan{10ms}));
  CHECK(self.last == errc::broken_barrier);
  CHECK(all.is_broken());
  CHECK(self.tell(actor, troupe::restart_atom_v));
  CHECK_FALSE(all.is_broken());
  // Nobody misses a services host for which no actor waits.
  troupe::sync::services::end();
  CHECK_FALSE(all.is_broken());
}

TEST_CASE("an actor waits on a condition") {
  const services_scope scope;
  const troupe::mutex lock;
  const troupe::condition changed;
  const auto locker = actor_of(lock);
  const auto actor = actor_of(changed);
  asker self;
  CHECK_FALSE(self.ask<troupe::grant>(actor, troupe::wait_atom_v, lock.id()));
  CHECK(self.last == errc::not_owner);
  REQUIRE(self.ask<troupe::grant>(locker, troupe::acquire_atom_v));
  CHECK_FALSE(self.ask<troupe::grant>(actor, troupe::wait_atom_v, lock.id(),
                                      caf::timespan{10ms}));
  CHECK(self.last == errc::timed_out);
  CHECK(lock.is_locked());
  std::jthread notifier{[&] {
    static_cast<void>(
      eventually([&] { return !changed.state().waiters().empty(); }));
    const std::scoped_lock guard{lock};
    changed.notify_one();
  }};
  CHECK(self.ask<troupe::grant>(actor, troupe::wait_atom_v, lock.id()));
  CHECK(lock.is_locked());
  CHECK(self.tell(locker, troupe::release_atom_v));
  CHECK(self.ask<std::uint32_t>(actor, troupe::notify_atom_v) == 0U);
}

TEST_CASE("a wait whose place is another's by now leaves that one there") {
  const services_scope scope;
  const troupe::mutex lock;
  const troupe::condition changed;
  const auto locker = actor_of(lock);
  const auto actor = actor_of(changed);
  auto& state = changed.state();
  asker self;
  REQUIRE(self.ask<troupe::grant>(locker, troupe::acquire_atom_v));
  std::jthread late{[&] {
    CHECK_FALSE(self.ask<troupe::grant>(actor, troupe::wait_atom_v, lock.id(),
                                        caf::timespan{300ms}));
    CHECK(self.last == errc::timed_out);
  }};
  REQUIRE(eventually([&] { return !state.waiters().empty(); }));
  const auto me = troupe::sync::owner::this_thread();
  {
    // As if the sender's process were dead and the actor not told of it yet.
    const troupe::sync::repairing_lock inside{state, me.row()};
    state.repair(troupe::sync::services::process()->id().index);
  }
  auto* const mine = state.enqueue(me, me.row());
  REQUIRE(mine != nullptr);
  late.join();
  CHECK(mine->identity() == me);
  CHECK(changed.notify(1) == 1);
  CHECK(state.take(*mine, me.row()));
  CHECK(self.tell(locker, troupe::release_atom_v));
}

TEST_CASE("an actor that has waited on a condition holds the lock once") {
  const services_scope scope;
  const troupe::recursive_mutex lock;
  const troupe::condition changed;
  const auto locker = actor_of(lock);
  asker self;
  REQUIRE(self.ask<troupe::grant>(locker, troupe::acquire_atom_v));
  std::jthread notifier{[&] {
    static_cast<void>(
      eventually([&] { return !changed.state().waiters().empty(); }));
    const std::scoped_lock guard{lock};
    changed.notify_one();
  }};
  REQUIRE(
    self.ask<troupe::grant>(actor_of(changed), troupe::wait_atom_v, lock.id()));
  REQUIRE(self.ask<troupe::grant>(locker, troupe::acquire_atom_v));
  CHECK(self.tell(locker, troupe::release_atom_v));
  CHECK(lock.is_locked());
  CHECK(self.tell(locker, troupe::release_atom_v));
  CHECK_FALSE(lock.is_locked());
}
