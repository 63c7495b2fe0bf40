// SPDX-License-Identifier: BSL-1.0

// Full rings: who waits, who does not, and what overtakes.

#include <troupe/channel/queue.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/thread_use.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>

#include <support/eventually.hpp>
#include <support/passed.hpp>
#include <support/sanitized.hpp>
#include <support/stopped.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

/// Counts what comes; sends `count` loads to `to` when told.
caf::behavior flooder(caf::event_based_actor* self) {
  auto received = std::make_shared<std::int32_t>(0);
  return {
    [self](caf::put_atom, const caf::actor& to, std::int32_t count) {
      const std::string load(1000, 'x');
      for (std::int32_t i = 0; i < count; ++i)
        self->send(to, load);
    },
    [received](const std::string&) { ++*received; },
    [received](caf::get_atom) { return *received; },
    [self](caf::close_atom) { self->quit(); },
    [](std::int32_t x) { return x; },
    [](caf::delete_atom) {
      return static_cast<std::int32_t>(troupe::dead_letters());
    },
  };
}

/// Counts loads, and notes how many had come when it was told to end and when
/// it heard of the end of `whom`; -1 before.
caf::behavior listener(caf::event_based_actor* self, const caf::actor& whom) {
  struct notes {
    std::int32_t received = 0;
    std::int32_t at_exit = -1;
    std::int32_t at_down = -1;
  };
  auto seen = std::make_shared<notes>();
  self->set_exit_handler(
    [seen](const caf::exit_msg&) { seen->at_exit = seen->received; });
  self->set_down_handler(
    [seen](const caf::down_msg&) { seen->at_down = seen->received; });
  self->monitor(whom);
  return {
    [seen](const std::string&) { ++seen->received; },
    [seen](caf::get_atom) { return seen->received; },
    [seen](caf::get_atom, caf::close_atom) { return seen->at_exit; },
    [seen](caf::get_atom, caf::leave_atom) { return seen->at_down; },
  };
}

/// Every message takes until the gate is opened.
caf::behavior gatekeeper(caf::event_based_actor*, troupe::queue<int> gate) {
  return {[gate](std::int32_t x) {
    static_cast<void>(gate.get());
    return x;
  }};
}

/// What the hub takes for slow is 200 µs with all that it does for a message,
/// and a sanitizer makes that longer.
constexpr auto half_of_slow = troupe::test::sanitized ? 20us : 100us;

/// Every message takes that of its thread.
caf::behavior worker(caf::event_based_actor*) {
  return {[](std::int32_t x) {
    const auto start = troupe::os::thread_use::of_this_thread().time;
    while (troupe::os::thread_use::of_this_thread().time - start
           < half_of_slow) {
    }
    return x;
  }};
}

void be_busy() {
  for (volatile std::uint64_t work = 0;;)
    work = work + 1;
}

std::int32_t answer_of(caf::scoped_actor& self, const caf::actor& whom,
                       std::int32_t x) {
  std::int32_t result = -1;
  self->request(whom, patience, x)
    .receive([&](std::int32_t answer) { result = answer; }, [](caf::error&) {});
  return result;
}

/// Opens the gate for one message, and returns what the gatekeeper answers.
std::int32_t let_through(caf::scoped_actor& self,
                         const troupe::queue<int>& gate) {
  gate.put(0);
  std::int32_t result = 0;
  self->receive([&](std::int32_t answer) { result = answer; },
                caf::after(patience) >> [] {});
  return result;
}

std::int32_t count_of(caf::scoped_actor& self, const caf::actor& whom,
                      const auto&... what) {
  std::int32_t result = -1;
  self->request(whom, patience, caf::get_atom_v, what...)
    .receive([&](std::int32_t x) { result = x; }, [](caf::error&) {});
  return result;
}

/// A thread that sends loads of a thousand bytes, and how many it has sent.
struct progress {
  std::atomic<std::int32_t> thread{0};
  std::atomic<std::int32_t> sent{0};
};

/// Waits until it sleeps, and for room: so many neither the ring has room for
/// nor the line before it.
bool await_full(const progress& of) {
  return troupe::test::eventually([&] {
    return of.sent > 1000 && troupe::test::activity_of(of.thread) == 'S';
  });
}

} // namespace

TEST_CASE("two processes that flood each other get everything") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host left{"left"};
  troupe::host right{"right"};
  const auto a = left.spawn<flooder>();
  const auto b = right.spawn<flooder>();
  self->send(a, caf::put_atom_v, b, 30'000);
  self->send(b, caf::put_atom_v, a, 30'000);
  CHECK(troupe::test::eventually(
    [&] { return count_of(self, a) == 30'000 && count_of(self, b) == 30'000; },
    patience));
}

TEST_CASE("a sender waits for a stopped receiver, and loses nothing") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"stopped"};
  const auto to = house.spawn<flooder>();
  CHECK(count_of(self, to) == 0);
  ::kill(house.pid(), SIGSTOP);
  progress of;
  std::thread sender{[&] {
    of.thread = troupe::os::this_thread_id();
    caf::scoped_actor own{troupe::actor_system()};
    const std::string load(1000, 'x');
    for (; of.sent < 20'000; ++of.sent)
      own->send(to, load);
  }};
  CHECK(await_full(of));
  CHECK(of.sent < 20'000);
  ::kill(house.pid(), SIGCONT);
  sender.join();
  CHECK(troupe::test::eventually([&] { return count_of(self, to) == 20'000; },
                                 patience));
}

TEST_CASE("a sender that waits goes on whoever else finds the room") {
  troupe::host house{"busy"};
  const auto to = house.spawn<flooder>();
  std::atomic<bool> done{false};
  // What overtakes data empties the line too, and so may control frames. One
  // at a time, so that it never waits for room alone.
  std::thread other{[&] {
    caf::scoped_actor own{troupe::actor_system()};
    while (!done) {
      own->link_to(to);
      own->request<caf::message_priority::high>(to, patience, std::int32_t{1})
        .receive([](std::int32_t) {}, [&](caf::error&) { done = true; });
      own->unlink_from(to);
    }
  }};
  std::atomic<bool> ended{false};
  std::thread sender{[&] {
    caf::scoped_actor own{troupe::actor_system()};
    // Each is more than may wait for room.
    const std::string load(3'000'000, 'x');
    for (int i = 0; i < 300; ++i)
      own->send(to, load);
    ended = true;
  }};
  CHECK(troupe::test::eventually([&] { return ended.load(); }, patience));
  done = true;
  other.join();
  // Who waits for ever is woken by the end of the receiver.
  if (!ended)
    house.kill();
  sender.join();
}

TEST_CASE("deaths and urgent messages overtake the loads that wait for room") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto mortal = troupe::spawn<flooder>(troupe::placement::here);
  // Before the other: who came first is told last.
  self->monitor(mortal);
  troupe::host house{"stopped"};
  const auto to = house.spawn<listener>(mortal);
  CHECK(count_of(self, to) == 0);
  REQUIRE(troupe::test::stop(house.pid()));
  progress of;
  std::atomic<bool> done{false};
  const std::string load(1000, 'x');
  std::thread sender{[&] {
    of.thread = troupe::os::this_thread_id();
    caf::scoped_actor own{troupe::actor_system()};
    while (!done) {
      own->send(to, load);
      ++of.sent;
    }
  }};
  CHECK(await_full(of));
  done = true;
  // anon_send_exit sends a message like any other, which comes in its order.
  caf::anon_send<caf::message_priority::high>(
    to, caf::exit_msg{to->address(), caf::exit_reason::user_shutdown});
  caf::anon_send(mortal, caf::close_atom_v);
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
  troupe::test::go_on(house.pid());
  sender.join();
  CHECK(troupe::test::eventually([&] { return count_of(self, to) == of.sent; },
                                 patience));
  // Only those in the ring were before them.
  constexpr std::int32_t fit = (64 << 10) / 1000;
  CHECK(count_of(self, to, caf::close_atom_v) >= 0);
  CHECK(count_of(self, to, caf::close_atom_v) <= fit);
  CHECK(count_of(self, to, caf::leave_atom_v) >= 0);
  CHECK(count_of(self, to, caf::leave_atom_v) <= fit);
}

TEST_CASE("a sender that waits for a receiver hears when that one is killed") {
  troupe::host house{"doomed"};
  const auto to = house.spawn<flooder>();
  ::kill(house.pid(), SIGSTOP);
  progress of;
  std::thread sender{[&] {
    of.thread = troupe::os::this_thread_id();
    caf::scoped_actor own{troupe::actor_system()};
    const std::string load(1000, 'x');
    for (; of.sent < 20'000; ++of.sent)
      own->send(to, load);
  }};
  CHECK(await_full(of));
  const auto before = troupe::dead_letters();
  house.kill();
  sender.join();
  CHECK(troupe::dead_letters() > before + 1000);
}

TEST_CASE("a slow actor does not hold up its neighbours in the host") {
  caf::scoped_actor self{troupe::actor_system()};
  const troupe::queue<int> gate;
  troupe::host house{"busy"};
  const auto slow = house.spawn<gatekeeper>(gate);
  const auto quick = house.spawn<flooder>();
  self->send(slow, std::int32_t{1});
  CHECK(answer_of(self, quick, 4) == 4);
  // Only now may the slow one end.
  CHECK(let_through(self, gate) == 1);
}

TEST_CASE("a new actor begins though every thread for slow ones is taken") {
  caf::scoped_actor self{troupe::actor_system()};
  const troupe::queue<int> gate;
  troupe::host house{"taken"};
  const auto slow = house.spawn<gatekeeper>(gate);
  // With the second message it keeps CAF's one thread.
  self->send(slow, std::int32_t{1});
  CHECK(answer_of(self, house.spawn<flooder>(), 2) == 2);
  let_through(self, gate);
  self->send(slow, std::int32_t{3});
  for (int i = 0; i < 5; ++i)
    CHECK(answer_of(self, house.spawn<flooder>(), 4) == 4);
  CHECK(let_through(self, gate) == 3);
}

TEST_CASE("an actor that loses its processor is not sent behind slow ones") {
  caf::scoped_actor self{troupe::actor_system()};
  const troupe::queue<int> gate;
  troupe::host house{"crowded"};
  // The first message makes it known as slow; with the second it keeps the one
  // thread to which slow actors are sent.
  const auto slow = house.spawn<gatekeeper>(gate);
  self->send(slow, std::int32_t{1});
  const auto honest = house.spawn<worker>();
  CHECK(answer_of(self, honest, 4) == 4);
  let_through(self, gate);
  self->send(slow, std::int32_t{2});
  // Each of its messages takes half of what is slow, and with so many others
  // ready to run it often loses its processor meanwhile, for milliseconds.
  std::vector<troupe::process> crowd;
  for (int i = 0; i < 8; ++i)
    crowd.push_back(troupe::start<be_busy>());
  int answered = 0;
  while (answered < 200 && answer_of(self, honest, answered) == answered)
    ++answered;
  CHECK(answered == 200);
  CHECK(self->has_next_message() == false);
  for (const auto& each : crowd)
    each.kill();
  let_through(self, gate);
}

TEST_CASE("a message to an actor that has ended is a dead letter") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto to = house.spawn<flooder>();
  const auto neighbour = house.spawn<flooder>();
  const auto messages_there = [&] {
    std::int32_t result = -1;
    self->request(neighbour, patience, caf::delete_atom_v)
      .receive([&](std::int32_t x) { result = x; }, [](caf::error&) {});
    return result;
  };
  self->monitor(to);
  caf::anon_send(to, caf::close_atom_v);
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
  CHECK(messages_there() == 0);
  for (int i = 0; i < 3; ++i)
    caf::anon_send(to, std::string{"too late"});
  // The question is behind them.
  CHECK(messages_there() == 3);
  caf::error why;
  self->request(to, patience, std::int32_t{1})
    .receive([](std::int32_t) {}, [&](caf::error& e) { why = e; });
  CHECK(why);
  CHECK(messages_there() == 4);
}

TEST_CASE("what an exit handler sends arrives, though its thread's own objects "
          "are gone") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto to = troupe::spawn<flooder>(troupe::placement::here);
  auto child = troupe::start(
    [](const caf::actor& whom) {
      static const auto kept = whom;
      caf::anon_send(kept, std::string{"before"});
      std::atexit([] {
        for (int i = 0; i < 50; ++i)
          caf::anon_send(kept, std::string(1000, 'x'));
      });
    },
    to);
  CHECK(troupe::test::passed(child));
  CHECK(troupe::test::eventually([&] { return count_of(self, to) == 51; },
                                 patience));
}

TEST_CASE("dead letters are shown to the hook") {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto to = house.spawn<flooder>();
  self->monitor(to);
  std::atomic<int> seen{0};
  troupe::on_dead_letter([&](const troupe::dead_letter& message) {
    if (message.content.match_elements<std::int32_t>() && message.target != 0)
      ++seen;
  });
  house.kill();
  self->receive([](const caf::down_msg&) {}, caf::after(patience) >> [] {});
  const auto before = troupe::dead_letters();
  self->send(to, std::int32_t{1});
  CHECK(seen == 1);
  CHECK(troupe::dead_letters() == before + 1);
  troupe::on_dead_letter({});
}

TEST_CASE("the node of a process names its slot and generation") {
  const troupe::memory::slot_id process{12, 3};
  const auto name = troupe::transport::node_of(process);
  CHECK(troupe::transport::process_of(name) == process);
  CHECK(name != troupe::transport::node_of({12, 4}));
  CHECK(!troupe::transport::process_of(caf::node_id{}));
}
