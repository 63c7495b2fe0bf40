// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/condition.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/transport/caf_error.hpp>

#include <framework/state/account.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <mutex>
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

/// The same with any call that has a result.
template <class R>
caf::expected<R>
ask(const troupe::state_actor& to, const held::call_for<R>& what) {
  auto got = send(to, what);
  if (!got)
    return got.error();
  return held::result_in<R>(*got);
}

/// The same with a function, which must have a result.
template <auto F, class T, class... Args>
caf::expected<held::result_of<troupe::calls::named<F>>>
ask(const troupe::state_actor& to, const troupe::proxy<T>& object,
    Args&&... args) {
  return ask(to, held::call_of<F>(object, std::forward<Args>(args)...));
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

TEST_CASE("a scoped actor calls held objects and receives the results") {
  const state bank;
  const auto actor = troupe::actor_of(bank);
  caf::scoped_actor self{troupe::actor_system()};
  const auto unexpected = [](const caf::error& why) { FAIL(to_string(why)); };
  std::optional<troupe::proxy<account>> savings;
  held::request(self, actor, 20s, held::call_to_make<account>("Sam", 100))
    .receive([&](const troupe::proxy<account>& made) { savings = made; },
             unexpected);
  REQUIRE(savings);
  auto named = false;
  held::request(self, actor, 20s, held::call_to_bind("savings", *savings))
    .receive([&] { named = true; }, unexpected);
  CHECK(named);
  int balance = 0;
  held::request<&account::deposit>(self, actor, 20s, *savings, 10)
    .receive([&](int got) { balance = got; }, unexpected);
  CHECK(balance == 110);
  std::optional<troupe::errc> failed;
  held::request<&account::withdraw>(self, actor, 20s, *savings, 1000)
    .receive([](int) {},
             [&](const caf::error& why) {
               failed = troupe::transport::code_of(why);
             });
  CHECK(failed == troupe::errc::remote_exception);
}

TEST_CASE("a message that waits is answered later") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto actor = troupe::actor_of(bank);
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(
    actor, 20s,
    held::call{held::call_of<&account::withdraw_when_there>(savings, 50)});
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
  CHECK(ask<&dict_calls::add_or_insert>(actor, dict, "Tom", 2) == 2);
  CHECK(ask<&dict_calls::add_or_insert>(actor, dict, "Tom", 3) == 5);
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
  auto next = self->request(
    actor, 20s, held::call{held::call_of<&lock_object::acquire>(lock, two)});
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

  held::call other_type = right;
  other_type.object = held::call_of<&list_calls::size>(list).object;
  CHECK(failure(actor, other_type) == errc::invalid_argument);

  const auto bytes = right.arguments.bytes();
  held::call shorter = right;
  shorter.arguments = troupe::bundle{bytes.first(bytes.size() - 1), {}};
  CHECK(failure(actor, shorter) == errc::malformed_bytes);
  held::call longer = right;
  longer.arguments = troupe::bundle::of(1, 'x');
  CHECK(failure(actor, longer) == errc::malformed_bytes);
  held::call with_handle = right;
  with_handle.arguments = troupe::bundle{
    bytes, {troupe::bundle::of(troupe::queue<int>{}).objects()[0]}};
  CHECK(failure(actor, with_handle) == errc::malformed_bytes);

  const state another;
  CHECK(failure(actor, held::call_of<&account::deposit>(
                         another.make<account>("Ann", 0), 1))
        == errc::invalid_argument);
  CHECK(failure(actor, held::call_to_find<account>("nobody"))
        == errc::unknown_name);
  here.bind("numbers", list);
  CHECK(failure(actor, held::call_to_find<account>("numbers"))
        == errc::invalid_argument);

  held::call stale = right;
  stale.object = troupe::bundle{bytes, {}};
  CHECK(failure(actor, stale) == errc::malformed_bytes);

  CHECK(savings.call<&account::balance>() == 1);
  CHECK(list.snapshot() == std::vector{1});
}

TEST_CASE("objects are made, named and found by messages, and things run") {
  const state here;
  const auto actor = troupe::actor_of(here);
  auto savings = ask(actor, held::call_to_make<account>("Sam", 100));
  REQUIRE(savings);
  CHECK(savings->call<&account::deposit>(10) == 110);
  auto list = ask(actor, held::call_to_make<numbers>(std::vector{1, 2}));
  REQUIRE(list);
  list->push_back(3);
  CHECK(list->snapshot() == std::vector{1, 2, 3});
  CHECK(send(actor, held::call_to_bind("savings", *savings)));
  CHECK(here.find<account>("savings") == *savings);
  CHECK(ask(actor, held::call_to_find<account>("savings")).value() == *savings);
  CHECK(ask(actor, held::call_to_unbind("savings")) == true);
  CHECK(ask(actor, held::call_to_unbind("savings")) == false);
  const auto where = ask(
    actor, held::call_to_run(
             [](int more) { return static_cast<int>(::getpid()) + more; }, 1));
  CHECK(where == here.process().pid() + 1);
  CHECK(ask(actor, held::call_of(
                     *list,
                     [](std::vector<int>& all, int by) {
                       for (auto& each : all)
                         each *= by;
                       return all.size();
                     },
                     2))
        == std::size_t{3});
  CHECK(ask(actor, held::call_to_copy(*list)) == std::vector{2, 4, 6});
  CHECK(send(actor, held::call_to_assign(*list, std::vector{7})));
  CHECK(list->snapshot() == std::vector{7});
  const auto thrown = send(actor, held::call_to_make<account>("", -1));
  REQUIRE(!thrown);
  CHECK(troupe::transport::code_of(thrown.error())
        == troupe::errc::remote_exception);
}

TEST_CASE("an object made by message lives as long as somebody has a proxy") {
  const state here;
  const auto actor = troupe::actor_of(here);
  {
    const auto list = ask(actor, held::call_to_make<numbers>());
    CHECK(here.size() == 1);
  }
  CHECK(eventually([&] { return here.size() == 0; }));
  // Nor does an answer keep it that nobody waits for any more.
  {
    caf::scoped_actor self{troupe::actor_system()};
    self->send(actor, held::call{held::call_to_make<numbers>()});
  }
  CHECK(send(actor, held::call_to_bind("kept", here.make<numbers>())));
  CHECK(eventually([&] { return here.size() == 1; }));
}

TEST_CASE("handles of all kinds are arguments and results of messages") {
  using lists = held::list<numbers>;
  using lists_calls = held::list_functions<numbers>;
  const state here;
  const state elsewhere;
  const auto actor = troupe::actor_of(here);
  const auto all = here.make<lists>();
  CHECK(tell<&lists_calls::push_back>(actor, all, here.make<numbers>({7})));
  CHECK(
    tell<&lists_calls::push_back>(actor, all, elsewhere.make<numbers>({8})));
  CHECK(all.at(0).at(0) == 7);
  CHECK(ask<&lists_calls::at>(actor, all, 0).value().at(0) == 7);
  CHECK(ask<&lists_calls::at>(actor, all, 1).value().at(0) == 8);
  CHECK(ask<&lists_calls::at>(actor, all, 1).value() == all.at(1));
  using queues_calls = held::list_functions<troupe::queue<int>>;
  const auto queues = here.make<held::list<troupe::queue<int>>>();
  const troupe::queue<int> tasks;
  CHECK(tell<&queues_calls::push_back>(actor, queues, tasks));
  ask<&queues_calls::at>(actor, queues, 0).value().put(5);
  CHECK(tasks.get() == 5);
}

TEST_CASE("a call that waits is answered with a proxy, in another process") {
  using boxes = held::queue<numbers>;
  using boxes_calls = held::waiting_queue<numbers>;
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto line = here.make<boxes>();
  auto taken = troupe::async(
    [](const troupe::state_actor& to, const boxes& from) {
      return ask<&boxes_calls::get>(to, from).value().at(0);
    },
    actor, line);
  line.put(here.make<numbers>({4}));
  CHECK(taken.get() == 4);
  // The answer was the last to refer to it.
  CHECK(eventually([&] { return here.size() == 1; }));
}

TEST_CASE("a result that cannot be read is an error of the request") {
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto savings = here.make<account>("Sam", 5);
  const troupe::queue<int> codes;
  troupe::actor_system().spawn([=](caf::event_based_actor* self) {
    // It says what the function does not return.
    held::call_for<std::string> wrong;
    static_cast<held::call&>(wrong) = held::call_of<&account::balance>(savings);
    held::request(self, actor, 20s, wrong)
      .then([=](const std::string&) { codes.put(0); },
            [=](const caf::error& why) {
              codes.put(static_cast<int>(troupe::transport::code_of(why)));
            });
  });
  CHECK(codes.try_get_for(20s)
        == static_cast<int>(troupe::errc::malformed_bytes));
}

TEST_CASE("a call by message keeps its object, though its sender lets go") {
  const state here;
  const auto actor = troupe::actor_of(here);
  here.bind("savings", here.make<account>("Sam", 60));
  held::call late = held::call_of<&account::withdraw_when_there>(
    here.find<account>("savings"), 100);
  late.limit = std::chrono::nanoseconds{300ms}.count();
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(actor, 20s, std::move(late));
  // Behind it in the actor's mailbox: from now on only the call has it.
  CHECK(ask(actor, held::call_to_unbind("savings")) == true);
  CHECK(here.size() == 1);
  auto code = troupe::errc::none;
  waiting.receive([](const held::answer&) {},
                  [&](const caf::error& why) {
                    code = troupe::transport::code_of(why);
                  });
  CHECK(code == troupe::errc::timed_out);
  CHECK(eventually([&] { return here.size() == 0; }));
}

TEST_CASE("the waiting call of a killed process keeps nothing") {
  const state here;
  here.bind("savings", here.make<account>("Sam", 60));
  const troupe::queue<bool> sent;
  auto client = troupe::start(
    [](const state& of, const troupe::state_actor& to,
       const troupe::queue<bool>& done) {
      caf::scoped_actor self{troupe::actor_system()};
      auto waiting
        = self->request(to, 60s,
                        held::call{held::call_of<&account::withdraw_when_there>(
                          of.find<account>("savings"), 100)});
      static_cast<void>(ask(to, held::call_to_unbind("savings")));
      done.put(true);
      waiting.receive([](const held::answer&) {}, [](const caf::error&) {});
    },
    here, troupe::actor_of(here), sent);
  CHECK(sent.get());
  CHECK(here.size() == 1);
  client.kill();
  CHECK(eventually([&] { return here.size() == 0; }));
}

TEST_CASE("a condition is waited for by messages") {
  using condition_object = held::condition_object;
  const state here;
  const auto actor = troupe::actor_of(here);
  const auto lock = here.make<held::mutex>();
  const auto changed = here.make<held::condition>();
  constexpr std::uint64_t me = 1ULL << 40;
  CHECK(tell<&lock_object::acquire>(actor, lock, me));
  const auto ticket = ask<&condition_object::enter>(actor, changed);
  REQUIRE(ticket);
  CHECK(tell<&lock_object::release>(actor, lock, me));
  caf::scoped_actor self{troupe::actor_system()};
  auto waiting = self->request(
    actor, 20s,
    held::call{held::call_of<&condition_object::wait>(changed, *ticket)});
  {
    const std::scoped_lock guard{lock};
    changed.notify_one();
  }
  bool notified = false;
  waiting.receive([&](const held::answer&) { notified = true; },
                  [&](const caf::error& why) { FAIL(to_string(why)); });
  CHECK(notified);
  CHECK(tell<&lock_object::acquire>(actor, lock, me));
  CHECK_FALSE(lock.try_lock());
  CHECK(tell<&lock_object::release>(actor, lock, me));
}

TEST_CASE("an actor makes an object and goes on with it, without blocking") {
  const state here;
  const auto actor = troupe::actor_of(here);
  const troupe::queue<int> results;
  troupe::actor_system().spawn([=](caf::event_based_actor* self) {
    held::request(self, actor, 20s, held::call_to_make<account>("Sam", 5))
      .then(
        [=](const troupe::proxy<account>& made) {
          held::request<&account::deposit>(self, actor, 20s, made, 2)
            .then([=](int balance) { results.put(balance); },
                  [=](const caf::error&) { results.put(-1); });
        },
        [=](const caf::error&) { results.put(-2); });
  });
  CHECK(results.try_get_for(20s) == 7);
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
      self
        ->request(to, 20s,
                  held::call{held::call_of<&account::deposit>(object, 1)})
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
    actor, 20s,
    held::call{held::call_of<&account::withdraw_when_there>(savings, 50)});
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
