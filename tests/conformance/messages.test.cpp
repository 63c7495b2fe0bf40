// SPDX-License-Identifier: BSL-1.0
#include "players.hpp"

using namespace conformance;

TEST_CASE("a request is answered, whatever it carries") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<player>(where);
    CHECK(ask<std::int32_t>(self, to, echo_atom_v, std::int32_t{42}) == 42);
    CHECK(ask<std::string>(self, to, echo_atom_v, std::string{"hello"})
          == "hello");
    const account full{"Ada", 1815, {1.5, -2.25, 1e300}};
    CHECK(ask<account>(self, to, echo_atom_v, full) == full);
    const reading plain{7, 36.6, 3};
    CHECK(ask<reading>(self, to, echo_atom_v, plain).value == 36.6);
    CHECK(ask<percentage>(self, to, echo_atom_v, percentage{99}).value == 99);
    const std::map<std::string, account> book{{"a", full}, {"b", {}}};
    CHECK((ask<std::map<std::string, account>>(self, to, echo_atom_v, book)
           == book));
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("an actor spawned in a process of its own runs there") {
  NOT_ON_MACHINES(home);
  caf::scoped_actor self{troupe::actor_system()};
  const auto here = troupe::spawn<player>(troupe::placement::here);
  const auto a = troupe::spawn<player>();
  const auto b = troupe::spawn<player>();
  const auto pid_here = ask<std::int32_t>(self, here, pid_atom_v);
  const auto pid_a = ask<std::int32_t>(self, a, pid_atom_v);
  const auto pid_b = ask<std::int32_t>(self, b, pid_atom_v);
  CHECK(pid_here != pid_a);
  CHECK(pid_a != pid_b);
  for (const auto& each : {here, a, b})
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
}

TEST_CASE("messages of one sender arrive in order, large and small") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<recorder>(where, -1);
    std::vector<std::int32_t> expected{-1};
    for (std::int32_t i = 0; i < 5000; ++i) {
      if (i % 97 == 0) {
        const auto size = static_cast<std::size_t>(i) * 150;
        self->send(to, std::string(size, 'x'));
        expected.push_back(static_cast<std::int32_t>(size));
      } else {
        self->send(to, i);
        expected.push_back(i);
      }
    }
    CHECK(ask<std::vector<std::int32_t>>(self, to, caf::get_atom_v)
          == expected);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a message far larger than the ring arrives whole") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<player>(where);
    std::string large(std::size_t{24} << 20, ' ');
    for (std::size_t i = 0; i < large.size(); ++i)
      large[i] = static_cast<char>('a' + i % 23);
    CHECK((ask<std::string>(self, to, echo_atom_v, large) == large));
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("typed actors keep their type across processes") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const adder_actor to = spawn_at<adder>(where, 10);
    CHECK(ask<std::int32_t>(self, to, caf::add_atom_v, std::int32_t{5}) == 15);
    CHECK(ask<std::int32_t>(self, to, caf::get_atom_v) == 15);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("class-based actors get their constructor's arguments") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<counter_actor>(where, "till", 6);
    CHECK(ask<std::int32_t>(self, to, count_atom_v) == 7);
    CHECK(ask<std::string>(self, to, caf::get_atom_v) == "till");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("class-based actors may be typed, and actors may have CAF's state") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const adder_actor typed = spawn_at<class_adder>(where, 10);
    CHECK(ask<std::int32_t>(self, typed, caf::add_atom_v, std::int32_t{5})
          == 15);
    CHECK(ask<std::int32_t>(self, typed, caf::get_atom_v) == 15);
    const auto stateful = spawn_at<tally>(where, 20);
    CHECK(ask<std::int32_t>(self, stateful, caf::add_atom_v, std::int32_t{5})
          == 25);
    CHECK(ask<std::int32_t>(self, stateful, caf::add_atom_v, std::int32_t{5})
          == 30);
    caf::anon_send_exit(typed, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(stateful, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a lambda without captures is an actor") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at(
      where,
      [](caf::event_based_actor*, std::int32_t factor) -> caf::behavior {
        return {[factor](std::int32_t x) { return x * factor; }};
      },
      3);
    CHECK(ask<std::int32_t>(self, to, std::int32_t{14}) == 42);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("blocking actors answer") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<blocking_echo>(where);
    CHECK(ask<std::int32_t>(self, to, echo_atom_v, std::int32_t{9}) == 9);
    caf::anon_send(to, quit_atom_v);
  }
}

TEST_CASE("several actors live in one host") {
  NOT_ON_MACHINES(hosts);
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host house{"house"};
  const auto a = house.spawn<player>();
  const auto b = troupe::spawn<recorder>(house, 1);
  const auto c = troupe::spawn<counter_actor>(house, "c", 0);
  CHECK(ask<std::int32_t>(self, a, pid_atom_v) == house.pid());
  CHECK(ask<std::int32_t>(self, b, pid_atom_v) == house.pid());
  CHECK(ask<std::int32_t>(self, c, count_atom_v) == 1);
}

TEST_CASE("an actor's handler may spawn in another process and wait for it") {
  NOT_ON_MACHINES(home);
  caf::scoped_actor self{troupe::actor_system()};
  const auto maker = troupe::spawn<player>();
  const auto made = ask<caf::actor>(self, maker, make_atom_v, std::int32_t{5});
  CHECK(ask<std::int32_t>(self, made, count_atom_v) == 1);
  CHECK(ask<std::int32_t>(self, made, pid_atom_v)
        != ask<std::int32_t>(self, maker, pid_atom_v));
  caf::anon_send_exit(made, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(maker, caf::exit_reason::user_shutdown);
}

TEST_CASE("what a constructor throws reaches whoever spawned") {
  for (const auto where : places())
    if (where != place::here)
      CHECK_THROWS_WITH_AS(spawn_at<broken_actor>(where, "no floor"),
                           doctest::Contains("no floor"), troupe::error);
}
