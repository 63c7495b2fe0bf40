// SPDX-License-Identifier: BSL-1.0
#include "players.hpp"

using namespace conformance;

TEST_CASE("a request fails with the error that the actor gives") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<player>(where);
    CHECK(ask_in_vain(self, to, patience, fail_atom_v) == trouble::not_today);
    const auto told = ask_in_vain(self, to, patience, fail_atom_v,
                                  std::string{"tired"});
    CHECK(told == trouble::not_today);
    CHECK(to_string(told).find("tired") != std::string::npos);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a request that nobody answers times out") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<player>(where);
    CHECK(ask_in_vain(self, to, 50ms, watch_atom_v)
          == caf::sec::request_timeout);
    CHECK(ask<std::int32_t>(self, to, echo_atom_v, std::int32_t{1}) == 1);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("an unexpected message fails its request") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<adder>(where, 0);
    CHECK(ask_in_vain(self, caf::actor_cast<caf::actor>(to), patience, 1.5)
          == caf::sec::unexpected_message);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a response promise may be kept later") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto to = spawn_at<player>(where);
    CHECK(ask<std::int32_t>(self, to, later_atom_v, std::int32_t{8}) == 8);
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a delegated request is answered by the delegate") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto a = spawn_at<player>(where);
    const auto b = spawn_at<player>(where);
    CHECK(ask<std::int32_t>(self, a, to_atom_v, b, std::int32_t{3}) == 3);
    CHECK(ask<std::int32_t>(self, a, to_atom_v, a, std::int32_t{4}) == 4);
    const auto c = troupe::spawn<player>(troupe::placement::here);
    CHECK(ask<std::int32_t>(self, a, to_atom_v, c, std::int32_t{5}) == 5);
    for (const auto& each : {a, b, c})
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("an actor asks another, in a third process, to answer") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto a = spawn_at<player>(where);
    const auto sum = spawn_at<adder>(where, 100);
    CHECK(ask<std::int32_t>(self, a, to_atom_v, sum, std::int32_t{1}) == 101);
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(sum, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("handles in messages are the same actor wherever they go") {
  EACH_PLACE(where) {
    caf::scoped_actor self{troupe::actor_system()};
    const auto a = spawn_at<player>(where);
    const auto b = spawn_at<player>(where);
    const auto sum = spawn_at<adder>(where, 1);
    CHECK(ask<caf::actor>(self, a, echo_atom_v, b) == b);
    CHECK(ask<caf::actor>(self, a, echo_atom_v, a) == a);
    CHECK(ask<adder_actor>(self, a, echo_atom_v, sum) == sum);
    const auto local = troupe::spawn<player>(troupe::placement::here);
    CHECK(ask<caf::actor>(self, a, echo_atom_v, local) == local);
    CHECK(ask<caf::actor>(self, a, echo_atom_v, caf::actor{}) == nullptr);
    for (const auto& each : {a, b, local})
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(sum, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("event-based actors await and then their answers") {
  EACH_PLACE(where) {
    const auto to = spawn_at<player>(where);
    std::promise<std::string> done;
    auto asker = troupe::actor_system().spawn(
      [&](caf::event_based_actor* self) {
        self->request(to, patience, later_atom_v, std::int32_t{1})
          .await([&, self](std::int32_t first) {
            self->request(to, patience, echo_atom_v, first + 1)
              .then([&, first](std::int32_t second) {
                done.set_value(std::to_string(first) + std::to_string(second));
              });
          });
      });
    auto result = done.get_future();
    REQUIRE(result.wait_for(patience) == std::future_status::ready);
    CHECK(result.get() == "12");
    caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  }
}
