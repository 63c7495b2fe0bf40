// SPDX-License-Identifier: BSL-1.0

// Actors that have ended before somebody monitors them, links to them or has
// their handle.

#include "players.hpp"

#include <troupe/channel/queue.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/node.hpp>

#include <support/eventually.hpp>
#include <support/leftovers.hpp>

#include <cstdlib>
#include <stdexcept>

using namespace conformance;

namespace {

/// Ends in its function, or a moment later, for one of these reasons.
caf::behavior ends_soon(caf::event_based_actor* self, std::int32_t how,
                        std::int32_t microseconds) {
  const auto end = [self, how] {
    switch (how) {
      case 0: return self->quit();
      case 1: return self->quit(caf::exit_reason::user_shutdown);
      case 2: return self->quit(caf::exit_reason::kill);
      default:
        return self->quit(
          caf::make_error(trouble::not_today, std::string{"hail"}));
    }
  };
  if (microseconds == 0)
    end();
  else
    self->run_delayed(std::chrono::microseconds{microseconds}, end);
  return {[](std::int32_t x) { return x; }};
}

bool is_reason(const caf::error& why, std::int32_t how) {
  switch (how) {
    case 0: return !why;
    case 1: return why == caf::exit_reason::user_shutdown;
    case 2: return why == caf::exit_reason::kill;
    default:
      return why == trouble::not_today
             && to_string(why).find("hail") != std::string::npos;
  }
}

/// Waits until the actor is known to have ended; its home has said so.
void await_end(caf::scoped_actor& self, const caf::actor& whom) {
  static_cast<void>(await_down(self, whom));
}

/// Everything that can be done with a handle, in one process. Answers with how
/// often somebody was told of an end, or that a request failed.
caf::behavior user_of_handles(caf::event_based_actor* self) {
  self->set_exit_handler([](const caf::exit_msg&) {});
  const auto use = [self](const caf::actor& whom) {
    auto told = std::make_shared<std::int32_t>(0);
    auto answer = std::make_shared<caf::typed_response_promise<std::int32_t>>(
      self->make_response_promise<std::int32_t>());
    const auto count = [=] {
      if (++*told == 4)
        answer->deliver(*told);
    };
    self->set_down_handler([=](const caf::down_msg& down) {
      if (down.source == whom.address())
        count();
    });
    self->set_exit_handler([=](const caf::exit_msg& exit) {
      if (exit.source == whom.address())
        count();
    });
    self->monitor(whom);
    self->link_to(whom);
    self->send(whom, std::int32_t{1});
    caf::anon_send(whom, std::int32_t{1});
    self->request(whom, patience, std::int32_t{1})
      .then([](std::int32_t) {}, [=](const caf::error&) { count(); });
    const auto passes_on = self->spawn([whom](caf::event_based_actor* me) {
      return caf::behavior{
        [=](std::int32_t x) { return me->delegate(whom, x); }};
    });
    self->request(passes_on, patience, std::int32_t{1})
      .then([](std::int32_t) {}, [=](const caf::error&) { count(); });
    return *answer;
  };
  return {
    [=](const caf::actor& whom) { return use(whom); },
    [=](const std::vector<caf::actor>& those) { return use(those.at(0)); },
    [=](const troupe::bundle& what) {
      return use(what.get<troupe::queue<caf::actor>>().get());
    },
  };
}

/// Is made with a handle and uses it in its function.
caf::behavior made_with(caf::event_based_actor* self, const caf::actor& whom) {
  self->link_to(whom);
  return {[=](caf::get_atom) { return whom.id(); }};
}

caf::behavior throws_at_start(caf::event_based_actor*,
                              const std::string& what) {
  throw std::domain_error(what);
}

class throws_in_make_behavior : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    throw std::domain_error("no behaviour");
  }
};

adder_actor::behavior_type typed_that_throws(std::int32_t) {
  throw std::domain_error("no adder");
}

template <class Spawn>
void check_fails(Spawn spawn, const std::string& text, bool here) {
  if (here)
    CHECK_THROWS_AS_MESSAGE(spawn(), std::domain_error, text);
  else
    try {
      static_cast<void>(spawn());
      FAIL("it was made");
    } catch (const troupe::remote_error& failure) {
      CHECK(failure.type() == "std::domain_error");
      CHECK(std::string{failure.what()}.find(text) != std::string::npos);
    }
}

} // namespace

TEST_CASE("a monitor that comes after the end hears the reason of that end") {
  caf::scoped_actor self{troupe::actor_system()};
  EACH_PLACE(where) {
    for (const std::int32_t delay : {0, 200, 2'000, 20'000})
      for (std::int32_t how = 0; how < 4; ++how)
        for (int round = 0; round < 4; ++round) {
          CAPTURE(delay);
          const auto to = spawn_at<ends_soon>(where, how, delay);
          const auto why = await_down(self, to);
          CAPTURE(to_string(why));
          CHECK(is_reason(why, how));
          CHECK(is_reason(await_down(self, to), how));
        }
  }
}

TEST_CASE("a process that first hears of an actor after its end hears why") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host home{"home"};
  const auto watcher = troupe::spawn<player>();
  for (std::int32_t how = 0; how < 4; ++how) {
    const auto ended = home.spawn<ends_soon>(how, 0);
    const auto why = await_down(self, ended);
    CHECK(is_reason(why, how));
    CHECK(ask<bool>(self, watcher, watch_atom_v, ended,
                    caf::actor_cast<caf::actor>(self)));
    std::string told;
    self->receive([&](count_atom, const std::string& text) { told = text; },
                  caf::after(patience) >> [] {});
    CHECK(told == to_string(why));
  }
  caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
}

TEST_CASE("a process that ends in order leaves the reasons of its actors") {
  NOT_ON_MACHINES(children);
  caf::scoped_actor self{troupe::actor_system()};
  for (std::int32_t how = 0; how < 4; ++how) {
    const troupe::queue<caf::actor> handles;
    const auto child = troupe::start(
      [](troupe::queue<caf::actor> to, std::int32_t reason) {
        to.put(troupe::spawn<ends_soon>(troupe::placement::here, reason, 0));
      },
      handles, how);
    REQUIRE(troupe::test::eventually([&] { return !child.view().is_alive(); }));
    const auto why = await_down(self, handles.get());
    CAPTURE(to_string(why));
    CHECK(is_reason(why, how));
  }
}

TEST_CASE("a request that is late for its actor hears that it has ended") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto hears = [&](const caf::actor& to) {
    const auto why = ask_in_vain(self, to, patience, std::int32_t{1});
    CAPTURE(to_string(why));
    CHECK(why == caf::sec::request_receiver_down);
  };
  EACH_PLACE(where) {
    for (const std::int32_t delay : {0, 200, 2'000})
      for (std::int32_t how = 0; how < 4; ++how) {
        CAPTURE(delay);
        CAPTURE(how);
        const auto to = spawn_at<ends_soon>(where, how, delay);
        await_end(self, to);
        // First while its process may still be there, then after that.
        hears(to);
        CHECK(troupe::test::leftovers().empty());
        hears(to);
      }
  }
}

TEST_CASE("requests that an actor has not read when it ends hear of that") {
  caf::scoped_actor self{troupe::actor_system()};
  EACH_PLACE(where) {
    for (int round = 0; round < 20; ++round) {
      const auto to = spawn_at<player>(where);
      CHECK(ask<std::int32_t>(self, to, echo_atom_v, 1) == 1);
      caf::anon_send(to, quit_atom_v);
      std::int32_t ended = 0;
      for (int i = 0; i < 50; ++i)
        self->request(to, patience, echo_atom_v, i)
          .receive([](std::int32_t) {},
                   [&](const caf::error& why) {
                     CAPTURE(to_string(why));
                     CHECK(why == caf::sec::request_receiver_down);
                     ++ended;
                   });
      CHECK(ended >= 1);
    }
  }
}

TEST_CASE("a link to an actor that has ended normally ends nobody") {
  caf::scoped_actor self{troupe::actor_system()};
  EACH_PLACE(where) {
    troupe::host home{"home"};
    const auto partner = spawn_at<player>(where);
    for (const auto& to :
         {home.spawn<ends_soon>(0, 0),
          troupe::spawn<ends_soon>(troupe::placement::here, 0, 0)}) {
      static_cast<void>(await_down(self, to));
      CHECK(ask<bool>(self, partner, bind_atom_v, to));
      for (std::int32_t i = 0; i < 10; ++i)
        CHECK(ask<std::int32_t>(self, partner, echo_atom_v, i) == i);
    }
    const auto failed = home.spawn<ends_soon>(3, 0);
    CHECK(ask<bool>(self, partner, bind_atom_v, failed));
    CHECK(await_down(self, partner) == trouble::not_today);
  }
}

TEST_CASE("a handle that comes home after the end is used as any other") {
  NOT_ON_MACHINES(memory);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host home{"home"};
  troupe::host elsewhere{"elsewhere"};
  for (auto* const where : {&elsewhere, &home}) {
    CAPTURE(where == &home);
    const auto user = where->spawn<user_of_handles>();
    // Not `kill`: who is linked to that ends whatever it would rather do.
    for (const std::int32_t how : {0, 1, 3}) {
      const auto ended = home.spawn<ends_soon>(how, 0);
      await_end(self, ended);
      CHECK(ask<std::int32_t>(self, user, ended) == 4);
      CHECK(ask<std::int32_t>(self, user, std::vector<caf::actor>{ended}) == 4);
      troupe::queue<caf::actor> through;
      through.put(ended);
      CHECK(ask<std::int32_t>(self, user, troupe::bundle::of(through)) == 4);
      const auto made = where->spawn<made_with>(ended);
      if (how == 0)
        CHECK(ask<caf::actor_id>(self, made, caf::get_atom_v) == ended.id());
      else
        await_end(self, made);
    }
  }
}

TEST_CASE("the home of an actor that ends keeps its reason, and not for ever") {
  NOT_ON_MACHINES(home);
  auto& ends = troupe::transport::node::require().ends();
  caf::scoped_actor self{troupe::actor_system()};
  const auto first = troupe::spawn<ends_soon>(troupe::placement::here, 3, 0);
  troupe::transport::node::require().export_actor(
    caf::actor_cast<caf::strong_actor_ptr>(first));
  REQUIRE(ends.reason_of(first.id()));
  CHECK(is_reason(*ends.reason_of(first.id()), 3));
  for (std::size_t i = 0; i < ends.most_remembered; ++i)
    ends.end(1'000'000 + i, {});
  CHECK(!ends.reason_of(first.id()));
  // Then nobody knows, and says so.
  troupe::host elsewhere{"elsewhere"};
  const auto watcher = elsewhere.spawn<player>();
  CHECK(ask<bool>(self, watcher, watch_atom_v, first,
                  caf::actor_cast<caf::actor>(self)));
  std::string told;
  self->receive([&](count_atom, const std::string& why) { told = why; },
                caf::after(patience) >> [] {});
  CHECK(told.find("no such actor") != std::string::npos);
}

TEST_CASE("a name leads to no actor that has ended") {
  NOT_ON_MACHINES(home);
  caf::scoped_actor self{troupe::actor_system()};
  const auto named = troupe::spawn<player>(troupe::placement::here);
  troupe::names::set("late", named);
  CHECK(troupe::names::find("late") == named);
  caf::anon_send(named, quit_atom_v);
  await_end(self, named);
  CHECK(troupe::test::eventually(
    [] { return !troupe::names::find("late").has_value(); }));
}

TEST_CASE("what a function throws at its start reaches whoever spawned") {
  EACH_PLACE(where) {
    const bool here = where == place::here;
    check_fails([&] { return spawn_at<throws_at_start>(where, "no luck"); },
                "no luck", here);
    check_fails([&] { return spawn_at<typed_that_throws>(where, 1); },
                "no adder", here);
    check_fails([&] { return spawn_at<throws_in_make_behavior>(where); },
                "no behaviour", here);
    check_fails(
      [&] {
        return spawn_at(where, [](caf::event_based_actor*) {
          throw std::domain_error("no lambda");
          return caf::behavior{};
        });
      },
      "no lambda", here);
  }
  // The host goes on.
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  CHECK_THROWS_AS(house.spawn<throws_at_start>("no luck"),
                  troupe::remote_error);
  const auto next = house.spawn<player>();
  CHECK(ask<std::int32_t>(self, next, echo_atom_v, std::int32_t{1}) == 1);
}

#if CAF_MAJOR_VERSION < 1
TEST_CASE("a group in a message to another process is an error that says so") {
  caf::scoped_actor self{troupe::actor_system()};
  const auto group = troupe::actor_system().groups().get_local("readers");
  EACH_PLACE(where) {
    const auto to = spawn_at(where, [](caf::event_based_actor*) {
      return caf::behavior{
        [](const caf::group& to_join) { return bool{to_join}; }};
    });
    if (where == place::here) {
      CHECK(ask<bool>(self, to, group));
    } else {
      const auto why = ask_in_vain(self, to, patience, group);
      CHECK(troupe::transport::code_of(why) == troupe::errc::invalid_argument);
      CHECK(troupe::transport::text_of(why).find("groups stay in their process")
            != std::string::npos);
    }
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}
#endif
