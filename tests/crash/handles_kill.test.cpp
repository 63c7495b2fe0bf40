// SPDX-License-Identifier: BSL-1.0

// Kills processes that hold, pass and drop handles of actors, at each named
// point and at random. Whoever is referred to lives, and nobody else does.

#include <troupe/channel/queue.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>

#include <support/eventually.hpp>
#include <support/sanitized.hpp>
#include <support/seed.hpp>
#include <support/stopped.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using troupe::test::eventually;

constexpr auto patience = 30s;

/// Keeps handles, passes them on, and drops them.
caf::behavior bearer(caf::event_based_actor* self) {
  auto kept = std::make_shared<std::vector<caf::actor>>();
  return {
    [](caf::add_atom, const std::string& point, std::uint32_t countdown) {
      troupe::os::arm_crash_point(point, countdown);
      return true;
    },
    [kept](caf::put_atom, const caf::actor& one) {
      kept->push_back(one);
      return true;
    },
    [self](caf::put_atom, const caf::actor& one, const caf::actor& to) {
      self->send(to, caf::put_atom_v, one);
      return true;
    },
    // The same through shared memory.
    [](caf::put_atom, const std::string& name, const caf::actor& one) {
      troupe::names::set(name, one);
      troupe::names::erase(name);
      troupe::queue<caf::actor> through;
      through.put(one);
      return through.get() == one;
    },
    [kept](caf::delete_atom) {
      kept->clear();
      return true;
    },
    [kept](caf::get_atom) { return !kept->empty(); },
    // Asks the one it was given first.
    [self, kept](caf::join_atom) {
      return self->delegate(kept->at(0), caf::ok_atom_v);
    },
    [](caf::ok_atom) { return true; },
    // Sends to that process until something waits for room there.
    [self](caf::flush_atom, const caf::actor& to) {
      while (!troupe::transport::node::require().any_congested())
        self->send(to, std::string{"x"});
      return true;
    },
    [](const std::string&) {},
    [kept](caf::put_atom, troupe::bundle from, const caf::actor& to) {
      caf::anon_send(to, caf::put_atom_v,
                     from.get<troupe::queue<caf::actor>>().get());
      return true;
    },
    // What its sends are answered with.
    [](bool) {},
  };
}

/// Whether `whom` answers; not if its process is killed before.
bool ask(caf::scoped_actor& self, const caf::actor& whom, const auto&... what) {
  bool result = false;
  self->request(whom, patience, what...)
    .receive([&](bool answer) { result = answer; },
             [](const caf::error&) { return; });
  return result;
}

void kill(const caf::actor& whom) {
  if (const auto home = troupe::transport::process_of(whom->node()))
    troupe::process_view{*home}.kill();
}

/// Waits for the end of one of the actors that `self` monitors.
caf::error next_end(caf::scoped_actor& self) {
  caf::error reason = caf::exit_reason::out_of_workers;
  self->receive([&](const caf::down_msg& down) { reason = down.reason; },
                caf::after(patience) >> [] {});
  return reason;
}

bool has_ended(caf::scoped_actor& self) {
  bool ended = false;
  self->receive([&](const caf::down_msg&) { ended = true; },
                caf::after(0ms) >> [] {});
  return ended;
}

} // namespace

TEST_CASE("no death at any point of passing a handle ends its actor, nor keeps "
          "it") {
  const char* const points[]
    = {"transport.handles.attached", "transport.handles.taken",
       "transport.handles.dropped",  "transport.hub.settling",
       "transport.share.entered",    "transport.share.ended",
       "runtime.name.erased",        "transport.control.written",
       "transport.control.published"};
  for (const std::string point : points)
    for (const std::uint32_t countdown : {1U, 2U}) {
      CAPTURE(point);
      CAPTURE(countdown);
      caf::scoped_actor self{troupe::actor_system()};
      caf::scoped_actor ends{troupe::actor_system()};
      const auto victim = troupe::spawn<bearer>();
      const auto other = troupe::spawn<bearer>();
      auto mine = troupe::spawn<bearer>(troupe::placement::here);
      auto third = troupe::spawn<bearer>();
      ends->monitor(mine);
      ends->monitor(third);
      REQUIRE(ask(self, victim, caf::add_atom_v, point, countdown));
      // Each of these may be the victim's last deed.
      for (const auto& one : {mine, third}) {
        static_cast<void>(ask(self, victim, caf::put_atom_v, one));
        static_cast<void>(ask(self, victim, caf::put_atom_v, one, other));
        static_cast<void>(
          ask(self, victim, caf::put_atom_v, std::string{"passed"}, one));
      }
      static_cast<void>(ask(self, victim, caf::delete_atom_v));
      kill(victim);
      // Whatever has come of that, these are referred to here.
      CHECK(ask(self, mine, caf::ok_atom_v));
      CHECK(ask(self, third, caf::ok_atom_v));
      CHECK(ask(self, other, caf::put_atom_v, third));
      CHECK(!has_ended(ends));
      third = nullptr;
      mine = nullptr;
      CHECK(ask(self, other, caf::join_atom_v));
      CHECK(ask(self, other, caf::delete_atom_v));
      // A name that nobody has taken away keeps its actor.
      static_cast<void>(troupe::names::erase("passed"));
      CHECK(next_end(ends) == caf::exit_reason::unreachable);
      CHECK(next_end(ends) == caf::exit_reason::unreachable);
      caf::anon_send_exit(other, caf::exit_reason::kill);
    }
}

TEST_CASE("a handle on its way from a killed process leads to its actor") {
  for (int turn = 0; turn < 20; ++turn) {
    caf::scoped_actor self{troupe::actor_system()};
    caf::scoped_actor ends{troupe::actor_system()};
    const auto first = troupe::spawn<bearer>();
    const auto last = troupe::spawn<bearer>();
    auto kept = troupe::spawn<bearer>(troupe::placement::here);
    ends->monitor(kept);
    REQUIRE(ask(self, first, caf::put_atom_v, kept));
    REQUIRE(ask(self, first, caf::put_atom_v, kept, last));
    kept = nullptr;
    kill(first);
    CHECK(eventually([&] { return ask(self, last, caf::get_atom_v); }));
    CHECK(ask(self, last, caf::join_atom_v));
    CHECK(!has_ended(ends));
    CHECK(ask(self, last, caf::delete_atom_v));
    CHECK(next_end(ends) == caf::exit_reason::unreachable);
    caf::anon_send_exit(last, caf::exit_reason::kill);
  }
}

TEST_CASE("a handle that a killed process passed on leads to its actor, though "
          "its owner has never heard of that process") {
  // The process holds what a message has lent it, or a share.
  for (const bool by_queue : {false, true}) {
    CAPTURE(by_queue);
    caf::scoped_actor self{troupe::actor_system()};
    caf::scoped_actor ends{troupe::actor_system()};
    troupe::host owner{"owner"};
    const auto other = owner.spawn<bearer>();
    auto kept = owner.spawn<bearer>();
    std::vector<caf::actor> others;
    for (int i = 0; i < 16; ++i)
      others.push_back(owner.spawn<bearer>());
    const auto victim = troupe::spawn<bearer>();
    const auto last = troupe::spawn<bearer>();
    ends->monitor(kept);
    REQUIRE(ask(self, victim, caf::put_atom_v, other));
    REQUIRE(ask(self, victim, caf::put_atom_v, other, last));
    REQUIRE(eventually([&] { return ask(self, last, caf::get_atom_v); }));
    REQUIRE(ask(self, last, caf::delete_atom_v));
    const auto pid_of = [](const caf::actor& whom) {
      return troupe::process_view{*troupe::transport::process_of(whom->node())}
        .pid();
    };
    // The owner reads nothing, so what the victim says to it has to wait; nor
    // does the last one, which will say that it holds the actor.
    const auto owner_pid = pid_of(other);
    const auto last_pid = pid_of(last);
    REQUIRE(troupe::test::stop(owner_pid));
    REQUIRE(troupe::test::stop(last_pid));
    REQUIRE(ask(self, victim, caf::flush_atom_v, other));
    // There is still room for a few words, though for no message.
    for (const auto& each : others)
      REQUIRE(ask(self, victim, caf::put_atom_v, each));
    if (by_queue) {
      troupe::queue<caf::actor> handles;
      handles.put(kept);
      REQUIRE(
        ask(self, victim, caf::put_atom_v, troupe::bundle::of(handles), last));
    } else {
      REQUIRE(ask(self, victim, caf::put_atom_v, kept, last));
    }
    kept = nullptr;
    kill(victim);
    CHECK(eventually([&] { return !ask(self, victim, caf::ok_atom_v); }));
    troupe::test::go_on(owner_pid);
    for (int i = 0; i < 100; ++i)
      CHECK(ask(self, other, caf::ok_atom_v));
    CHECK(!has_ended(ends));
    troupe::test::go_on(last_pid);
    CHECK(eventually([&] { return ask(self, last, caf::get_atom_v); }));
    CHECK(ask(self, last, caf::join_atom_v));
    CHECK(!has_ended(ends));
    CHECK(ask(self, last, caf::delete_atom_v));
    CHECK(next_end(ends) == caf::exit_reason::unreachable);
    caf::anon_send_exit(last, caf::exit_reason::kill);
  }
}

TEST_CASE("random passing, dropping and killing leaves no actor and no entry") {
  std::mt19937_64 random{troupe::test::seed()};
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  constexpr std::size_t crew = 4;
  constexpr int actors = 12;
  const int steps = troupe::test::sanitized ? 150 : 600;
  auto& own = troupe::transport::node::require();
  const auto before = own.exported()->size();
  {
    caf::scoped_actor self{troupe::actor_system()};
    caf::scoped_actor ends{troupe::actor_system()};
    std::vector<caf::actor> bearers;
    for (std::size_t i = 0; i < crew; ++i)
      bearers.push_back(troupe::spawn<bearer>());
    troupe::host house{"house"};
    std::vector<caf::actor> all;
    for (int i = 0; i < actors; ++i) {
      all.push_back(i % 3 == 0
                      ? troupe::spawn<bearer>(house)
                      : troupe::spawn<bearer>(troupe::placement::here));
      ends->monitor(all.back());
    }
    for (int step = 0; step < steps; ++step) {
      auto& whom = bearers[pick(crew)];
      const auto& one = all[pick(actors)];
      switch (pick(20)) {
        case 0:
          kill(whom);
          whom = troupe::spawn<bearer>();
          break;
        case 1:
        case 2: self->send(whom, caf::delete_atom_v); break;
        case 3:
        case 4:
        case 5: self->send(whom, caf::put_atom_v, one); break;
        default: self->send(whom, caf::put_atom_v, one, bearers[pick(crew)]);
      }
    }
    // Everybody is referred to here all the time.
    for (const auto& each : all)
      CHECK(ask(self, each, caf::ok_atom_v));
    CHECK(!has_ended(ends));
    all.clear();
    for (const auto& each : bearers)
      caf::anon_send_exit(each, caf::exit_reason::kill);
    bearers.clear();
    for (int i = 0; i < actors; ++i)
      CHECK(next_end(ends) == caf::exit_reason::unreachable);
  }
  CHECK(eventually([&] { return own.exported()->size() <= before; }, patience));
}
