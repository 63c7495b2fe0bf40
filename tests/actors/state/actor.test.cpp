// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/transport/caf_error.hpp>

#include "account.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <string>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::eventually;

namespace {

/// Calls by message and waits: a test's actor may.
template <auto F, class T, class... Args>
caf::expected<held::result_of<held::named<F>>>
ask(const troupe::state_actor& to, const troupe::proxy<T>& object,
    Args&&... args) {
  caf::scoped_actor self{troupe::actor_system()};
  caf::expected<held::result_of<held::named<F>>> result{
    caf::make_error(caf::sec::runtime_error)};
  self->request(to, 20s, held::call_of<F>(object, std::forward<Args>(args)...))
    .receive([&](const held::answer& got) { result = held::result_in<F>(got); },
             [&](const caf::error& why) { result = why; });
  return result;
}

} // namespace

TEST_CASE("an actor calls held objects by messages") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 100);
  const auto actor = troupe::actor_of(bank);
  CHECK(ask<&account::deposit>(actor, savings, 10) == 110);
  CHECK(ask<&account::owner>(actor, savings) == std::string{"Sam"});
  const auto wrong = ask<&account::withdraw>(actor, savings, 1000);
  REQUIRE(!wrong);
  CHECK(troupe::transport::code_of(wrong.error())
        == troupe::errc::remote_exception);
  CHECK(troupe::transport::text_of(wrong.error())
        == "std::domain_error: only 110 there");
  CHECK(savings.call<&account::balance>() == 110);
}

TEST_CASE("a message that waits is answered later") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto actor = troupe::actor_of(bank);
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(
    actor, 20s, held::call_of<&account::withdraw_when_there>(savings, 50));
  CHECK(savings.call<&account::deposit>(60) == 60);
  int got = 0;
  waiting.receive(
    [&](const held::answer& from) {
      got = held::result_in<&account::withdraw_when_there>(from);
    },
    [&](const caf::error& why) { FAIL(to_string(why)); });
  CHECK(got == 10);
}

TEST_CASE("an actor does not block while it waits for a held object") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto tasks = bank.make<held::queue<int>>();
  const auto actor = troupe::actor_of(bank);
  auto worker = troupe::actor_system().spawn(
    [=](caf::event_based_actor* self) -> caf::behavior {
      held::request<&account::withdraw_when_there>(self, actor, 20s, savings, 5)
        .then([=](int left) { tasks.put(left); },
              [=](const caf::error&) { tasks.put(-1); });
      return {[=](int amount) {
        held::request<&account::deposit>(self, actor, 20s, savings, amount)
          .then([=](int) {}, [=](const caf::error&) { tasks.put(-1); });
      }};
    });
  caf::anon_send(worker, 7);
  CHECK(tasks.try_get_for(20s) == 2);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE("a state that is killed fails the requests of actors") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto actor = troupe::actor_of(bank);
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(
    actor, 20s, held::call_of<&account::withdraw_when_there>(savings, 50));
  bank.process().kill();
  bool failed = false;
  waiting.receive([&](const held::answer&) {},
                  [&](const caf::error&) { failed = true; });
  CHECK(failed);
}
