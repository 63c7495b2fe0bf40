// SPDX-License-Identifier: BSL-1.0
#include "players.hpp"

#include <troupe/channel/queue.hpp>
#include <troupe/process/start.hpp>

#include <support/eventually.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

using namespace conformance;

namespace {

/// Waits for so many ends, and returns who has ended and why.
std::map<caf::actor_addr, caf::error> await_downs(caf::scoped_actor& self,
                                                  std::size_t count) {
  std::map<caf::actor_addr, caf::error> result;
  for (std::size_t i = 0; i < count; ++i)
    self->receive(
      [&](const caf::down_msg& down) { result[down.source] = down.reason; },
      caf::after(patience) >> [] {});
  CHECK(result.size() == count);
  return result;
}

/// Whether all of `actors` ended with a process, as each of `words` says.
void check_ended_with_process(std::map<caf::actor_addr, caf::error> ends,
                              const std::vector<caf::actor>& actors,
                              const std::vector<std::string>& words) {
  for (const auto& each : actors) {
    const auto why = ends[each->address()];
    CAPTURE(to_string(why));
    CHECK(troupe::transport::code_of(why) == troupe::errc::peer_died);
    for (const auto& word : words)
      CHECK(troupe::transport::text_of(why).find(word) != std::string::npos);
  }
}

/// Goes on when an actor ends to which it is linked, and tells `listener` of
/// it.
caf::behavior survivor(caf::event_based_actor* self,
                       const caf::actor& listener) {
  self->set_exit_handler([self, listener](const caf::exit_msg& left) {
    self->send(listener, count_atom_v, to_string(left.reason));
  });
  return {
    [self](bind_atom, const caf::actor& other) {
      self->link_to(other);
      return true;
    },
    [](echo_atom, std::int32_t x) { return x; },
    [self](quit_atom) { self->quit(caf::exit_reason::user_shutdown); },
  };
}

/// Offers two actors, and exits when it is told.
void exit_with_actors(troupe::queue<caf::actor> offers,
                      troupe::queue<int> codes) {
  for (int i = 0; i < 2; ++i)
    offers.put(troupe::spawn<player>(troupe::placement::here));
  std::exit(codes.get());
}

} // namespace

TEST_CASE("a monitor hears the end of an actor, with the reason") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    SUBCASE("that returned") {
      const auto to = spawn_at<player>(where);
      caf::anon_send(to, quit_atom_v);
      CHECK(!await_down(self, to));
    }
    SUBCASE("that quit for a reason of its own") {
      const auto to = spawn_at<player>(where);
      caf::anon_send(to, quit_atom_v,
                     caf::make_error(trouble::not_today, std::string{"rain"}));
      const auto why = await_down(self, to);
      CHECK(why == trouble::not_today);
      CHECK(to_string(why).find("rain") != std::string::npos);
    }
    SUBCASE("that was sent an exit message") {
      const auto to = spawn_at<player>(where);
      caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
      CHECK(await_down(self, to) == caf::exit_reason::user_shutdown);
    }
    SUBCASE("that threw") {
      const auto to = spawn_at<player>(where);
      caf::anon_send(to, throw_atom_v);
      CHECK(await_down(self, to) == caf::sec::runtime_error);
    }
    SUBCASE("that had ended before") {
      const auto to = spawn_at<player>(where);
      caf::anon_send(to, quit_atom_v);
      static_cast<void>(await_down(self, to));
      static_cast<void>(await_down(self, to));
    }
  }
}

TEST_CASE("an actor monitors one in a third process") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto watcher = spawn_at<player>(where);
    const auto watched = spawn_at<player>(where);
    CHECK(ask<bool>(self, watcher, watch_atom_v, watched,
                    caf::actor_cast<caf::actor>(self)));
    caf::anon_send(watched, quit_atom_v,
                   caf::make_error(trouble::not_today, std::string{"snow"}));
    std::string told;
    self->receive([&](count_atom, const std::string& why) { told = why; },
                  caf::after(patience) >> [] {});
    CHECK(told.find("snow") != std::string::npos);
    caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("linked actors end together, in both directions") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    for (const bool first_ends : {true, false}) {
      const auto a = spawn_at<player>(where);
      const auto b = spawn_at<player>(where);
      CHECK(ask<bool>(self, a, bind_atom_v, b));
      // Whether the other side has heard of the link by now or not.
      static_cast<void>(
        ask<std::int32_t>(self, b, echo_atom_v, std::int32_t{0}));
      caf::anon_send_exit(first_ends ? a : b, caf::exit_reason::kill);
      static_cast<void>(await_down(self, first_ends ? b : a));
    }
  }
}

TEST_CASE("who outlives a linked actor hears of its end once") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto listener = caf::actor_cast<caf::actor>(self);
    for (const bool first_links : {true, false}) {
      const auto ends = spawn_at<player>(where);
      const auto stays = spawn_at<survivor>(where, listener);
      const auto& links = first_links ? ends : stays;
      const auto& linked = first_links ? stays : ends;
      CHECK(ask<bool>(self, links, bind_atom_v, linked));
      caf::anon_send(ends, quit_atom_v,
                     caf::make_error(trouble::not_today, std::string{"fog"}));
      std::string told;
      self->receive([&](count_atom, const std::string& why) { told = why; },
                    caf::after(patience) >> [] {});
      CHECK(told.find("fog") != std::string::npos);
      static_cast<void>(await_down(self, ends));
      // A second one would come before these answers.
      for (std::int32_t i = 0; i < 3; ++i)
        CHECK(ask<std::int32_t>(self, stays, echo_atom_v, i) == i);
      CHECK(!self->has_next_message());
      caf::anon_send(stays, quit_atom_v);
      static_cast<void>(await_down(self, stays));
    }
  }
}

TEST_CASE("a killed process is the end of its actors, by name of the signal") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto a = house.spawn<player>();
  const auto b = house.spawn<player>();
  CHECK(ask<std::int32_t>(self, a, echo_atom_v, std::int32_t{1}) == 1);
  self->monitor(a);
  self->monitor(b);
  house.kill();
  check_ended_with_process(await_downs(self, 2), {a, b}, {"SIGKILL", "house"});
}

TEST_CASE("a process that exits is the end of its actors, by its code, once") {
  NOT_ON_MACHINES(children);
  caf::scoped_actor self{troupe::actor_system()};
  const troupe::queue<caf::actor> offers;
  const troupe::queue<int> codes;
  auto child = troupe::start<exit_with_actors>(offers, codes);
  const auto a = offers.get();
  const auto b = offers.get();
  CHECK(ask<std::int32_t>(self, a, echo_atom_v, std::int32_t{1}) == 1);
  self->monitor(a);
  self->monitor(b);
  codes.put(3);
  check_ended_with_process(await_downs(self, 2), {a, b}, {"code 3"});
  child.join();
  // Deaths are told in the order in which they are confirmed: of this process
  // there is no second.
  troupe::host other{"other"};
  const auto c = other.spawn<player>();
  other.kill();
  static_cast<void>(await_down(self, c));
  CHECK(!self->has_next_message());
}

TEST_CASE("a death is told no more to who does not want to know it any more") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto listener = caf::actor_cast<caf::actor>(self);
    const auto watcher = spawn_at<player>(where);
    const auto watched = spawn_at<player>(where);
    const auto last = spawn_at<player>(where);
    CHECK(ask<bool>(self, watcher, watch_atom_v, watched, listener));
    CHECK(ask<bool>(self, watcher, unwatch_atom_v, watched));
    CHECK(ask<bool>(self, watcher, watch_atom_v, last, listener));
    caf::anon_send(watched, quit_atom_v,
                   caf::make_error(trouble::not_today, std::string{"first"}));
    static_cast<void>(await_down(self, watched));
    // The watcher's process has heard of it when it has answered this.
    CHECK(ask<std::int32_t>(self, watcher, echo_atom_v, 1) == 1);
    caf::anon_send(last, quit_atom_v,
                   caf::make_error(trouble::not_today, std::string{"last"}));
    std::string told;
    self->receive([&](count_atom, const std::string& why) { told = why; },
                  caf::after(patience) >> [] {});
    CHECK(told.find("last") != std::string::npos);
    CHECK(!self->has_next_message());
    caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("who is linked no more lives on") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    for (const bool first_ends : {true, false}) {
      const auto a = spawn_at<player>(where);
      const auto b = spawn_at<player>(where);
      CHECK(ask<bool>(self, a, bind_atom_v, b));
      CHECK(ask<bool>(self, a, unbind_atom_v, b));
      // Behind what the two processes have said to each other.
      CHECK(ask<std::int32_t>(self, a, to_atom_v, b, std::int32_t{2}) == 2);
      const auto& ends = first_ends ? a : b;
      const auto& stays = first_ends ? b : a;
      caf::anon_send_exit(ends, caf::exit_reason::kill);
      static_cast<void>(await_down(self, ends));
      for (int i = 0; i < 3; ++i)
        CHECK(ask<std::int32_t>(self, stays, echo_atom_v, i) == i);
      caf::anon_send_exit(stays, caf::exit_reason::user_shutdown);
    }
  }
}

TEST_CASE("a handle leads to its actor without the process that passed it on") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host home{"home"};
  troupe::host between{"between"};
  const auto far = home.spawn<player>();
  const auto passer = between.spawn<player>();
  const auto asker = troupe::spawn<player>();
  CHECK(ask<bool>(self, passer, to_atom_v, asker, far));
  between.kill();
  static_cast<void>(await_down(self, passer));
  for (int i = 0; i < 3; ++i)
    CHECK(ask<std::int32_t>(self, asker, to_atom_v, pid_atom_v) == home.pid());
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
}

TEST_CASE("requests in flight to a killed process fail at once") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto a = house.spawn<player>();
  std::vector<std::int32_t> failures;
  auto asker = troupe::actor_system().spawn([=](caf::event_based_actor* me) {
    auto counted = std::make_shared<std::int32_t>(0);
    for (int i = 0; i < 100; ++i)
      me->request(a, caf::infinite, watch_atom_v)
        .then([](const caf::message&) {},
              [=](const caf::error& why) {
                if (troupe::transport::code_of(why) == troupe::errc::peer_died)
                  ++*counted;
              });
    return caf::behavior{[=](count_atom) { return *counted; }};
  });
  CHECK(ask<std::int32_t>(self, a, echo_atom_v, std::int32_t{1}) == 1);
  house.kill();
  static_cast<void>(await_down(self, a));
  CHECK(troupe::test::eventually(
    [&] { return ask<std::int32_t>(self, asker, count_atom_v) == 100; }));
  CHECK(troupe::transport::code_of(
          ask_in_vain(self, a, patience, echo_atom_v, std::int32_t{1}))
        == troupe::errc::peer_died);
  caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
}

TEST_CASE("a delegated request fails when the delegate's process dies") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host first{"first"};
  troupe::host second{"second"};
  const auto a = first.spawn<player>();
  const auto b = second.spawn<player>();
  const auto started = std::chrono::steady_clock::now();
  auto killer = std::async(std::launch::async, [&] {
    // It has come to the delegate.
    caf::scoped_actor own{troupe::actor_system()};
    CHECK(troupe::test::eventually([&] {
      return ask<std::int32_t>(own, b, count_atom_v, watch_atom_v) == 1;
    }));
    second.kill();
  });
  const auto why = ask_in_vain(self, a, patience, to_atom_v, b, watch_atom_v);
  killer.wait();
  CHECK(troupe::transport::code_of(why) == troupe::errc::peer_died);
  CHECK(std::chrono::steady_clock::now() - started < patience / 2);
  CHECK(ask<std::int32_t>(self, a, echo_atom_v, std::int32_t{1}) == 1);
}

TEST_CASE("a link to an actor of a killed process ends the linked one") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto far = house.spawn<player>();
  const auto near = troupe::spawn<player>(troupe::placement::here);
  CHECK(ask<bool>(self, near, bind_atom_v, far));
  house.kill();
  CHECK(troupe::transport::code_of(await_down(self, near))
        == troupe::errc::peer_died);
}
