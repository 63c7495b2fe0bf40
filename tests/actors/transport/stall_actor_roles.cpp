// SPDX-License-Identifier: BSL-1.0
// stall_actor_role CASE
//
// Each case is a program whose actors stand still for ever, or one that looks
// so to who does not look closely. None ends by itself: the test ends it.
#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/transport/caf_version.hpp>

#include <support/sleeping.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace version = troupe::transport::version;
using troupe::test::sleep_for_ever;

namespace {

void give_work(const caf::actor& to) {
  version::send_anonymously(to, 1);
}

} // namespace

// What the actors do ----------------------------------------------------------

/// At a message it takes from one queue, and only then puts into the other.
class clerk : public caf::event_based_actor {
public:
  clerk(caf::actor_config& config, troupe::queue<int> from,
        troupe::queue<int> to)
    : caf::event_based_actor(config),
      from_(std::move(from)),
      to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      to_.put(from_.get());
      return 1;
    }};
  }

private:
  troupe::queue<int> from_;
  troupe::queue<int> to_;
};

/// At a message it locks one, meets the other, and locks the second.
class locker : public caf::event_based_actor {
public:
  locker(caf::actor_config& config, troupe::mutex first, troupe::mutex second,
         troupe::barrier both)
    : caf::event_based_actor(config),
      first_(std::move(first)),
      second_(std::move(second)),
      both_(std::move(both)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      const std::scoped_lock one{first_};
      both_.arrive_and_wait();
      const std::scoped_lock other{second_};
    }};
  }

private:
  troupe::mutex first_;
  troupe::mutex second_;
  troupe::barrier both_;
};

int await_event(troupe::event of) {
  of.wait();
  return 1;
}

/// At a message it waits for what a process computes, which waits for the event
/// that the actor sets then.
class customer : public caf::event_based_actor {
public:
  customer(caf::actor_config& config, troupe::event paid)
    : caf::event_based_actor(config), paid_(std::move(paid)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      static_cast<void>(troupe::async<await_event>(paid_).get());
      paid_.set();
    }};
  }

private:
  troupe::event paid_;
};

/// At a message it acquires the lock, says so, and releases it when it has
/// taken an item.
class acquirer : public caf::event_based_actor {
public:
  acquirer(caf::actor_config& config, troupe::mutex lock,
           troupe::event acquired, troupe::queue<int> from)
    : caf::event_based_actor(config),
      lock_(troupe::actor_of(lock)),
      acquired_(std::move(acquired)),
      from_(std::move(from)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      request(lock_, caf::infinite, troupe::acquire_atom_v)
        .then([this](const troupe::grant&) {
          acquired_.set();
          static_cast<void>(from_.get());
          send(lock_, troupe::release_atom_v);
        });
    }};
  }

private:
  troupe::mutex_actor lock_;
  troupe::event acquired_;
  troupe::queue<int> from_;
};

/// The same, and it releases the lock after an hour.
class borrower : public caf::event_based_actor {
public:
  borrower(caf::actor_config& config, troupe::mutex lock,
           troupe::event acquired)
    : caf::event_based_actor(config),
      lock_(troupe::actor_of(lock)),
      acquired_(std::move(acquired)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      request(lock_, caf::infinite, troupe::acquire_atom_v)
        .then([this](const troupe::grant&) {
          acquired_.set();
          run_delayed(1h, [this] { send(lock_, troupe::release_atom_v); });
        });
    }};
  }

private:
  troupe::mutex_actor lock_;
  troupe::event acquired_;
};

/// At a message it asks for the lock, for an hour at most, and then puts.
class applicant : public caf::event_based_actor {
public:
  applicant(caf::actor_config& config, troupe::mutex lock, troupe::event asks,
            troupe::queue<int> to)
    : caf::event_based_actor(config),
      lock_(troupe::actor_of(lock)),
      asks_(std::move(asks)),
      to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      request(lock_, caf::infinite, troupe::acquire_atom_v, caf::timespan{1h})
        .then([](const troupe::grant&) {},
              [this](const caf::error&) { to_.put(1); });
      asks_.set();
    }};
  }

private:
  troupe::mutex_actor lock_;
  troupe::event asks_;
  troupe::queue<int> to_;
};

/// Waits for a message that nobody sends, then sets the event.
void listener(caf::blocking_actor* self, troupe::event heard) {
  self->receive([](int) {});
  heard.set();
}

class sleeper : public caf::event_based_actor {
public:
  sleeper(caf::actor_config& config, troupe::queue<int> to)
    : caf::event_based_actor(config), to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) {
      sleep_for_ever();
      to_.put(1);
    }};
  }

private:
  troupe::queue<int> to_;
};

/// An hour after a message it puts something.
class alarm_clock : public caf::event_based_actor {
public:
  alarm_clock(caf::actor_config& config, troupe::queue<int> to)
    : caf::event_based_actor(config), to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) { run_delayed(1h, [this] { to_.put(1); }); }};
  }

private:
  troupe::queue<int> to_;
};

/// Passes each number on to the partner that was named first, and says now and
/// then how far it is.
class player : public caf::event_based_actor {
public:
  player(caf::actor_config& config, troupe::queue<int> to)
    : caf::event_based_actor(config), to_(std::move(to)) {
  }

  caf::behavior make_behavior() override {
    return {[this](const caf::actor& partner) { partner_ = partner; },
            [this](int number) {
              // Time: in which each waits for the other, and nothing happens.
              if (number % 100 == 0)
                std::this_thread::sleep_for(20ms);
              if (number % 1000 == 0)
                to_.put(number);
              version::send_anonymously(partner_, number + 1);
            }};
  }

private:
  caf::actor partner_;
  troupe::queue<int> to_;
};

namespace {

// Deadlocks -------------------------------------------------------------------

void two_clerks() {
  const troupe::queue<int> first;
  const troupe::queue<int> second;
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto one = left.spawn<clerk>(first, second);
  const auto other = right.spawn<clerk>(second, first);
  give_work(one);
  give_work(other);
  troupe::await_actors();
}

/// `main` asks an actor, which waits for what `main` would put then.
void asks_who_waits_for_it() {
  const troupe::queue<int> from;
  const troupe::queue<int> to;
  troupe::host desk{"desk"};
  const auto one = desk.spawn<clerk>(from, to);
  caf::scoped_actor self{troupe::actor_system()};
  version::request(self, one, 1).receive([](int) {}, [](const caf::error&) {});
  from.put(1);
}

void two_lockers() {
  const troupe::mutex a;
  const troupe::mutex b;
  const troupe::barrier both{2};
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto one = left.spawn<locker>(a, b, both);
  const auto other = right.spawn<locker>(b, a, both);
  give_work(one);
  give_work(other);
  troupe::await_actors();
}

void waits_for_a_future() {
  const troupe::event paid;
  troupe::host shop{"shop"};
  const auto one = shop.spawn<customer>(paid);
  give_work(one);
  troupe::await_actors();
}

void nobody_tells_the_listener() {
  const troupe::event heard;
  troupe::host hall{"hall"};
  const auto one = hall.spawn<listener>(heard);
  heard.wait();
}

/// `main` waits for a lock of an actor, which waits for what `main` would put
/// then.
void locks_what_an_actor_owns() {
  const troupe::mutex lock;
  const troupe::event acquired;
  const troupe::queue<int> items;
  troupe::host left{"left"};
  const auto one = left.spawn<acquirer>(lock, acquired, items);
  give_work(one);
  acquired.wait();
  const std::scoped_lock held{lock};
  items.put(1);
}

// What only looks so ----------------------------------------------------------

/// They have nothing to do, which is no news.
void idle_actors() {
  const troupe::queue<int> items;
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto one = left.spawn<clerk>(items, items);
  const auto other = right.spawn<clerk>(items, items);
  std::cout << "idle" << std::endl;
  troupe::await_actors();
}

void waits_for_sleeper() {
  const troupe::queue<int> items;
  troupe::host bed{"bed"};
  const auto one = bed.spawn<sleeper>(items);
  give_work(one);
  static_cast<void>(items.get());
}

void waits_for_alarm_clock() {
  const troupe::queue<int> items;
  troupe::host bed{"bed"};
  const auto one = bed.spawn<alarm_clock>(items);
  give_work(one);
  static_cast<void>(items.get());
}

void waits_for_borrower() {
  const troupe::mutex lock;
  const troupe::event acquired;
  troupe::host left{"left"};
  const auto one = left.spawn<borrower>(lock, acquired);
  give_work(one);
  acquired.wait();
  const std::scoped_lock held{lock};
}

/// `main` holds the lock, and waits for what an actor does once it has waited
/// for that long enough.
void waits_for_applicant() {
  const troupe::mutex lock;
  const troupe::event asks;
  const troupe::queue<int> items;
  const std::scoped_lock held{lock};
  troupe::host left{"left"};
  const auto one = left.spawn<applicant>(lock, asks, items);
  give_work(one);
  asks.wait();
  static_cast<void>(items.get());
}

/// `main` waits for an answer, but not for ever.
void asks_in_time() {
  const troupe::queue<int> from;
  const troupe::queue<int> to;
  troupe::host desk{"desk"};
  const auto one = desk.spawn<clerk>(from, to);
  caf::scoped_actor self{troupe::actor_system()};
  version::request_within(self, 1h, one, 1)
    .receive([](int) {}, [](const caf::error&) {});
  from.put(1);
}

/// A process without actors may send a message to one at any time.
void stays_awake() {
  sleep_for_ever();
}

void somebody_is_awake() {
  const troupe::queue<int> from;
  const troupe::queue<int> to;
  const auto awake = troupe::start<stays_awake>();
  troupe::host desk{"desk"};
  const auto one = desk.spawn<clerk>(from, to);
  caf::scoped_actor self{troupe::actor_system()};
  version::request(self, one, 1).receive([](int) {}, [](const caf::error&) {});
}

void game() {
  const troupe::queue<int> news;
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto one = left.spawn<player>(news);
  const auto other = right.spawn<player>(news);
  version::send_anonymously(one, other);
  version::send_anonymously(other, one);
  version::send_anonymously(one, 1);
  for (;;)
    static_cast<void>(news.get());
}

/// Two threads wake each other by a condition of the standard library, and rest
/// between; one of them puts something now and then.
void threads_take_turns() {
  const troupe::queue<int> news;
  std::mutex lock;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int mine) {
    for (;;) {
      std::unique_lock held{lock};
      changed.wait(held, [&] { return turn % 2 == mine; });
      // Time: in which the other waits.
      if (++turn % 100 == 0)
        std::this_thread::sleep_for(20ms);
      if (turn % 1000 == 0)
        news.put(turn);
      changed.notify_all();
    }
  };
  std::thread one{play, 0};
  std::thread other{play, 1};
  for (;;)
    static_cast<void>(news.get());
}

const std::map<std::string, std::function<void()>> cases{
  {"two_clerks", two_clerks},
  {"two_clerks_watched", two_clerks},
  {"asks_who_waits_for_it", asks_who_waits_for_it},
  {"two_lockers", two_lockers},
  {"waits_for_a_future", waits_for_a_future},
  {"nobody_tells_the_listener", nobody_tells_the_listener},
  {"locks_what_an_actor_owns", locks_what_an_actor_owns},
  {"idle_actors", idle_actors},
  {"waits_for_sleeper", waits_for_sleeper},
  {"waits_for_alarm_clock", waits_for_alarm_clock},
  {"waits_for_borrower", waits_for_borrower},
  {"waits_for_applicant", waits_for_applicant},
  {"asks_in_time", asks_in_time},
  {"somebody_is_awake", somebody_is_awake},
  {"game", game},
  {"threads_take_turns", threads_take_turns},
};

} // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  troupe::run_options options;
  if (name == "two_clerks_watched")
    options.report_stall = 500ms;
  troupe::program program{argc, argv, options};
  const auto found = cases.find(name);
  if (found == cases.end()) {
    std::cerr << "no such case\n";
    return 2;
  }
  std::cout << "begins" << std::endl;
  found->second();
}
