// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/transport/caf_error.hpp>

#include "account.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::eventually;

namespace {

/// Sends a call and waits for its answer: a test's actor may.
caf::expected<held::answer> send(const troupe::state_actor& to,
                                 const held::call& what) {
  caf::scoped_actor self{troupe::actor_system()};
  caf::expected<held::answer> result{caf::make_error(caf::sec::runtime_error)};
  self->request(to, 20s, what)
    .receive([&](const held::answer& got) { result = got; },
             [&](const caf::error& why) { result = why; });
  return result;
}

/// The same with a function, which must have a result.
template <auto F, class T, class... Args>
caf::expected<held::result_of<held::named<F>>>
ask(const troupe::state_actor& to, const troupe::proxy<T>& object,
    Args&&... args) {
  auto got = send(to, held::call_of<F>(object, std::forward<Args>(args)...));
  if (!got)
    return got.error();
  return held::result_in<F>(*got);
}

/// The same with a function that has none. Returns whether it was done.
template <auto F, class T, class... Args>
bool tell(const troupe::state_actor& to, const troupe::proxy<T>& object,
          Args&&... args) {
  return static_cast<bool>(
    send(to, held::call_of<F>(object, std::forward<Args>(args)...)));
}

/// The code with which a call fails; none if it does not.
std::optional<troupe::errc> failure(const troupe::state_actor& to,
                                    const held::call& what) {
  const auto got = send(to, what);
  if (got)
    return std::nullopt;
  return troupe::transport::code_of(got.error());
}

using numbers = held::list<int>;
using list_calls = held::list_functions<int>;
using scores = held::dict<std::string, int>;
using dict_calls = held::dict_functions<std::string, int>;
using lock_object = held::lock_object<false>;

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

TEST_CASE("the functions of lists and dicts are called by messages") {
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto list = here.make<numbers>({1, 2});
  CHECK(tell<&list_calls::push_back>(actor, list, 3));
  CHECK(ask<&list_calls::size>(actor, list) == std::size_t{3});
  CHECK(ask<&list_calls::at>(actor, list, 2) == 3);
  CHECK(ask<&list_calls::pop>(actor, list, 0) == 1);
  CHECK(list.snapshot() == std::vector{2, 3});
  const auto dict = here.make<scores>();
  CHECK(tell<&dict_calls::set>(actor, dict, "Sam", 10));
  CHECK(ask<&dict_calls::at>(actor, dict, "Sam") == 10);
  CHECK(ask<&dict_calls::erase>(actor, dict, "Ann") == false);
  CHECK(dict.at("Sam") == 10);
  const auto wrong = ask<&list_calls::at>(actor, list, 99);
  REQUIRE(!wrong);
  CHECK(troupe::transport::code_of(wrong.error())
        == troupe::errc::remote_exception);
  CHECK(troupe::transport::text_of(wrong.error())
          .starts_with("std::out_of_range: "));
}

TEST_CASE("a lock is taken, waited for and given back by messages") {
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto lock = here.make<held::mutex>();
  // The numbers of two threads that there are not.
  constexpr std::uint64_t one = 1ULL << 40;
  constexpr std::uint64_t two = one + 1;
  CHECK(tell<&lock_object::acquire>(actor, lock, one));
  CHECK(ask<&lock_object::is_locked>(actor, lock) == true);
  CHECK_FALSE(lock.try_lock());
  CHECK(failure(actor, held::call_of<&lock_object::acquire>(lock, one))
        == troupe::errc::would_deadlock);
  CHECK(failure(actor, held::call_of<&lock_object::release>(lock, two))
        == troupe::errc::not_owner);
  caf::scoped_actor self{troupe::actor_system()};
  auto next = self->request(actor, 20s,
                            held::call_of<&lock_object::acquire>(lock, two));
  CHECK(tell<&lock_object::release>(actor, lock, one));
  bool taken = false;
  next.receive([&](const held::answer&) { taken = true; },
               [&](const caf::error& why) { FAIL(to_string(why)); });
  CHECK(taken);
  CHECK_FALSE(lock.try_lock());
  CHECK(tell<&lock_object::release>(actor, lock, two));
  CHECK(lock.try_lock());
}

TEST_CASE("a lock taken by message is free when the actor's process dies") {
  const state here;
  const auto lock = here.make<held::mutex>();
  // The process says nothing to the state but by this actor.
  auto died = troupe::async(
    [](const troupe::state_actor& to, const held::mutex& with) {
      if (tell<&lock_object::acquire>(to, with, 1))
        ::kill(::getpid(), SIGKILL);
    },
    troupe::actor_of(here), lock);
  CHECK_THROWS_AS(died.get(), troupe::remote_error);
  CHECK(lock.try_lock_for(20s));
}

TEST_CASE("a state actor tells how many objects there are") {
  const state here;
  const auto list = here.make<numbers>();
  const auto other = here.make<numbers>();
  caf::scoped_actor self{troupe::actor_system()};
  std::uint64_t count = 0;
  self->request(troupe::actor_of(here), 20s, troupe::query_atom_v)
    .receive([&](std::uint64_t got) { count = got; },
             [&](const caf::error& why) { FAIL(to_string(why)); });
  CHECK(count == 2);
}

TEST_CASE("each way in which a call by message fails has its code") {
  using troupe::errc;
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto savings = here.make<account>("Sam", 0);
  const auto list = here.make<numbers>({1});
  const auto right = held::call_of<&account::deposit>(savings, 1);
  CHECK(failure(actor, right) == std::nullopt);

  auto late = held::call_of<&account::withdraw_when_there>(savings, 50);
  late.limit = std::chrono::nanoseconds{2ms}.count();
  CHECK(failure(actor, late) == errc::timed_out);

  auto unknown = right;
  unknown.operation ^= 1;
  CHECK(failure(actor, unknown) == errc::unknown_function);

  auto other_type = right;
  other_type.object = held::call_of<&list_calls::size>(list).object;
  CHECK(failure(actor, other_type) == errc::invalid_argument);

  auto shorter = right;
  shorter.arguments.pop_back();
  CHECK(failure(actor, shorter) == errc::malformed_bytes);
  auto longer = right;
  longer.arguments.push_back('x');
  CHECK(failure(actor, longer) == errc::malformed_bytes);

  held::call stale;
  {
    const auto short_lived = here.make<account>("Ann", 0);
    stale = held::call_of<&account::deposit>(short_lived, 1);
    CHECK(failure(actor, stale) == std::nullopt);
  }
  REQUIRE(eventually([&] { return here.size() == 2; }));
  CHECK(failure(actor, stale) == errc::stale_handle);

  CHECK(savings.call<&account::balance>() == 1);
  CHECK(list.snapshot() == std::vector{1});
}

TEST_CASE("proxies are arguments of messages, other handles and results that "
          "are proxies are refused") {
  using lists = held::list<numbers>;
  using lists_calls = held::list_functions<numbers>;
  const state here;
  const state elsewhere;
  const auto actor = troupe::actor_of(here);
  const auto all = here.make<lists>();
  CHECK(tell<&lists_calls::push_back>(actor, all, here.make<numbers>({7})));
  CHECK(all.at(0).at(0) == 7);
  CHECK(failure(actor, held::call_of<&lists_calls::at>(all, 0))
        == troupe::errc::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(held::call_of<&lists_calls::push_back>(
                    all, elsewhere.make<numbers>())),
                  troupe::invalid_argument);
  using queues_calls = held::list_functions<troupe::queue<int>>;
  const auto queues = here.make<held::list<troupe::queue<int>>>();
  CHECK_THROWS_AS(static_cast<void>(held::call_of<&queues_calls::push_back>(
                    queues, troupe::queue<int>{})),
                  troupe::invalid_argument);
  queues.push_back(troupe::queue<int>{});
  CHECK(failure(actor, held::call_of<&queues_calls::at>(queues, 0))
        == troupe::errc::invalid_argument);
}

TEST_CASE("who is no actor of the run is refused") {
  const state here;
  const auto savings = here.make<account>("Sam", 0);
  const auto actor = troupe::actor_of(here);
  // In the state's process, so that it reaches the actor at all.
  const auto code = here.run(
    [](const troupe::state& of, const troupe::proxy<account>& object) {
      const auto to = troupe::actor_of(of);
      caf::actor_system_config config;
      caf::actor_system another{config};
      caf::scoped_actor self{another};
      auto code = troupe::errc{};
      self->request(to, 20s, held::call_of<&account::deposit>(object, 1))
        .receive([](const held::answer&) {},
                 [&](const caf::error& why) {
                   code = troupe::transport::code_of(why);
                 });
      return static_cast<int>(code);
    },
    here, savings);
  CHECK(code == static_cast<int>(troupe::errc::invalid_argument));
  CHECK(savings.call<&account::balance>() == 0);
}

TEST_CASE("a state that is killed fails the requests of actors") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto actor = troupe::actor_of(bank);
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(
    actor, 20s, held::call_of<&account::withdraw_when_there>(savings, 50));
  bank.process().kill();
  std::optional<troupe::errc> code;
  waiting.receive([&](const held::answer&) {},
                  [&](const caf::error& why) {
                    code = troupe::transport::code_of(why);
                  });
  CHECK(code == troupe::errc::peer_died);
  CHECK(failure(actor, held::call_of<&account::balance>(savings))
        == troupe::errc::peer_died);
}
