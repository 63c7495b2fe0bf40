// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/state.hpp>
#include <troupe/state/value.hpp>
#include <troupe/sync/event.hpp>

#include "account.hpp"

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sanitized.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>

using namespace std::chrono_literals;
using troupe::proxy;
using troupe::state;
using troupe::test::eventually;

namespace {

int twice(account& of, int amount) {
  of.deposit(amount);
  return of.deposit(amount);
}

void deposit_often(proxy<account> into, int times) {
  for (int i = 0; i < times; ++i)
    into.call<&account::deposit>(1);
}

/// Says who calls. It takes no argument of the caller's for that.
struct guest_book {
  troupe::held::client_id enter(const troupe::held::call_context& by,
                                const std::string& name) {
    names.push_back(name);
    return by.client;
  }

  std::vector<std::string> names;
};

troupe::held::client_id last_reader(const guest_book&,
                                    const troupe::held::call_context& by) {
  return by.client;
}

troupe::held::client_id enter_from_elsewhere(proxy<guest_book> book) {
  return book.call<&guest_book::enter>("a child");
}

} // namespace

TEST_CASE("a function that takes the context of the call is told who calls") {
  const state hotel;
  const auto book = hotel.make<guest_book>();
  const auto self = troupe::memory::run_memory::current().self().packed();
  CHECK(book.call<&guest_book::enter>("the root") == self);
  CHECK(book.call<&last_reader>() == self);
  const auto child = troupe::async<&enter_from_elsewhere>(book).get();
  CHECK(child != 0);
  CHECK(child != self);
  CHECK(book.call<&guest_book::names>()
        == std::vector<std::string>{"the root", "a child"});
}

TEST_CASE("a class of one's own is made in the state and called there") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 100);
  CHECK(savings.call<&account::deposit>(10) == 110);
  CHECK(savings.call<&account::balance>() == 110);
  CHECK(savings.call<&account::owner>() == "Sam");
  CHECK(savings.call<&account::visits>() == 0);
  CHECK(savings.call<&twice>(5) == 120);
  CHECK(savings.update<&twice>(5) == 130);
  savings.update([](account& of, int more) { of.visits += more; }, 3);
  CHECK(savings.update([](const account& of) { return of.visits; }) == 3);
}

TEST_CASE("what a function throws arrives with type and text") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 5);
  try {
    savings.call<&account::withdraw>(10);
    FAIL("it did not throw");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.code() == troupe::errc::remote_exception);
    CHECK(thrown.type() == "std::domain_error");
    CHECK(thrown.text() == "only 5 there");
  }
  CHECK(savings.call<&account::balance>() == 5);
  try {
    static_cast<void>(bank.make<account>("Sam", -1));
    FAIL("it did not throw");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.type() == "std::invalid_argument");
  }
}

TEST_CASE("an exception without text, or that is no std::exception, ends one "
          "call and nothing else") {
  struct silent : std::exception {
    [[nodiscard]] const char* what() const noexcept override {
      return nullptr;
    }
  };
  const state bank;
  const auto savings = bank.make<account>("Sam", 5);
  try {
    savings.update([](account&) { throw silent{}; });
    FAIL("it did not throw");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.type().ends_with("silent"));
    CHECK(thrown.text().empty());
  }
  try {
    savings.update([](account&) { throw std::string{"a string"}; });
    FAIL("it did not throw");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.text() == "a string");
  }
  CHECK_THROWS_AS(savings.update([](account&) { throw 42; }),
                  troupe::remote_error);
  CHECK(savings.call<&account::balance>() == 5);
}

TEST_CASE("an exception inside of another one arrives with it") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 5);
  try {
    savings.update([](account& of) {
      try {
        of.withdraw(10);
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"no money for the rent"});
      }
    });
    FAIL("it did not throw");
  } catch (const troupe::remote_error& thrown) {
    CHECK(thrown.type() == "std::runtime_error");
    CHECK(thrown.text() == "no money for the rent");
    REQUIRE(thrown.causes().size() == 1);
    CHECK(thrown.causes()[0].type == "std::domain_error");
    CHECK(thrown.causes()[0].text == "only 5 there");
    CHECK(std::string{thrown.what()}.find("only 5 there") != std::string::npos);
    bool inside = false;
    try {
      std::rethrow_if_nested(thrown);
    } catch (const troupe::remote_error& inner) {
      inside = inner.type() == "std::domain_error";
    }
    CHECK(inside);
  }
}

namespace {

/// It is asked about dead clients, and does not bear it.
struct brittle {
  int value = 0;

  static void client_gone(troupe::held::client_id) {
    std::cerr << "a client has died" << std::endl;
    try {
      throw std::out_of_range{"nobody knows it"};
    } catch (...) {
      std::throw_with_nested(std::logic_error{"it cannot be forgotten"});
    }
  }
};

} // namespace

TEST_CASE("a state that ended by an exception says which, and what it had "
          "written") {
  const state here;
  const auto object = here.make<brittle>();
  const auto pid = here.process().pid();
  auto client = troupe::start(
    [](proxy<brittle> of) { static_cast<void>(of.call<&brittle::value>()); },
    object);
  static_cast<void>(client.join());
  REQUIRE(eventually([&] { return !here.process().is_alive(); }));
  try {
    static_cast<void>(object.call<&brittle::value>());
    FAIL("it was called");
  } catch (const troupe::peer_died& thrown) {
    const std::string what = thrown.what();
    for (const auto& part :
         {"(pid " + std::to_string(pid) + ")",
          std::string{"std::logic_error: it cannot be forgotten"},
          std::string{"caused by std::out_of_range: nobody knows it"},
          std::string{"a client has died"}})
      CHECK_MESSAGE(what.find(part) != std::string::npos, what);
  }
}

TEST_CASE("an object is as a function that throws left it") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 5);
  CHECK_THROWS_AS(savings.update(
                    [](account& of, int amount) {
                      of.deposit(amount);
                      of.withdraw(1000);
                    },
                    7),
                  troupe::remote_error);
  CHECK(savings.call<&account::balance>() == 12);
}

TEST_CASE("calls of several processes lose no update") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  std::vector<troupe::process> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(troupe::start<deposit_often>(savings, 1000));
  all.clear();
  CHECK(savings.call<&account::balance>() == 4000);
}

TEST_CASE("a future has the result of a call that was not waited for") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  std::vector<troupe::held::future<int>> results;
  for (int i = 0; i < 100; ++i)
    results.push_back(savings.call_async<&account::deposit>(1));
  int last = 0;
  for (auto& each : results) {
    const auto now = each.get();
    CHECK(now == last + 1);
    last = now;
  }
  auto wrong = savings.call_async<&account::withdraw>(1000);
  CHECK_THROWS_AS(wrong.get(), troupe::remote_error);
  CHECK(!wrong.valid());
  CHECK_THROWS_AS(wrong.get(), troupe::invalid_state);
  CHECK_THROWS_AS(wrong.wait(), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(wrong.wait_for(0ms)),
                  troupe::invalid_state);
  auto twice = savings.update_async(
    [](account& of, int amount) {
      of.deposit(amount);
      return of.deposit(amount);
    },
    10);
  CHECK(twice.get() == 120);
}

TEST_CASE("a future that has no memory for an answer leaves the others whole") {
  // A sanitizer ends the process instead.
  if (troupe::test::sanitized)
    return;
  const state bank;
  const auto savings = bank.make<account>(std::string(100'000'000, 's'));
  auto survived = troupe::async(
    [](proxy<account> of) {
      const auto large = of.call_async<&account::owner>();
      const auto small = of.call_async<&account::balance>();
      ::rlimit before{};
      ::getrlimit(RLIMIT_DATA, &before);
      const ::rlimit little{1'000'000, before.rlim_max};
      ::setrlimit(RLIMIT_DATA, &little);
      bool threw = false;
      try {
        large.wait();
      } catch (const std::bad_alloc&) {
        threw = true;
      }
      ::setrlimit(RLIMIT_DATA, &before);
      const auto there = small.wait_for(20s) == std::future_status::ready;
      return threw && there;
    },
    savings);
  CHECK(survived.get());
}

TEST_CASE("a call that waits stalls nobody") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  auto waiting = savings.call_async<&account::withdraw_when_there>(50);
  CHECK(waiting.wait_for(20ms) == std::future_status::timeout);
  CHECK(savings.call<&account::deposit>(20) == 20);
  CHECK(waiting.wait_for(0ms) == std::future_status::timeout);
  CHECK(!savings.call_for<&account::withdraw_when_there>(5ms, 50));
  CHECK(savings.call<&account::deposit>(40) == 60);
  CHECK(waiting.get() == 10);
  CHECK(savings.call_for<&account::withdraw_when_there>(5ms, 10) == 0);
  const auto soon = [] { return std::chrono::system_clock::now() + 5ms; };
  CHECK(!savings.call_until<&account::withdraw_when_there>(soon(), 1));
  CHECK(savings.call<&account::deposit>(3) == 3);
  CHECK(savings.call_until<&account::withdraw_when_there>(soon(), 1) == 2);
}

TEST_CASE("a call of another process that waits stalls nobody") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto other = bank.make<account>("Ann", 0);
  const troupe::event waits;
  auto taken = troupe::async(
    [](proxy<account> from, troupe::event tell) {
      auto rest = from.call_async<&account::withdraw_when_there>(50);
      // Answered behind the one before: that one waits by now.
      static_cast<void>(from.call<&account::balance>());
      tell.set();
      return rest.get();
    },
    savings, waits);
  waits.wait();
  CHECK(other.call<&account::deposit>(1) == 1);
  CHECK(savings.call<&account::deposit>(20) == 20);
  CHECK(savings.call<&account::withdraw>(5) == 15);
  CHECK(savings.call<&account::deposit>(45) == 60);
  CHECK(taken.get() == 10);
  CHECK(savings.call<&account::balance>() == 10);
}

TEST_CASE(
  "an object ends with its last proxy, and the state with the last of all") {
  auto bank = std::make_unique<state>();
  const auto process = bank->process();
  {
    const auto savings = bank->make<account>("Sam", 0);
    CHECK(bank->size() == 1);
    const auto other = savings;
    CHECK(other == savings);
  }
  CHECK(eventually([&] { return bank->size() == 0; }));
  auto savings = std::make_unique<proxy<account>>(bank->make<account>("Sam"));
  bank.reset();
  CHECK(savings->call<&account::deposit>(7) == 7);
  savings.reset();
  CHECK(eventually([&] { return !process.is_alive(); }));
}

TEST_CASE("a state that is killed fails calls at once, with its story") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  auto waiting = savings.call_async<&account::withdraw_when_there>(50);
  bank.process().kill();
  CHECK_THROWS_AS(waiting.get(), troupe::peer_died);
  CHECK_THROWS_AS(savings.call<&account::balance>(), troupe::peer_died);
  CHECK(eventually([&] {
    try {
      savings.call<&account::balance>();
    } catch (const troupe::peer_died& thrown) {
      return std::string{thrown.what()}.find("SIGKILL") != std::string::npos;
    }
    return false;
  }));
}

TEST_CASE("the story of a killed state outlives who has its place next") {
  const state bank;
  const auto savings = bank.make<account>("Sam", 0);
  const auto place = bank.process().id().index;
  const auto story = [&] {
    try {
      savings.call<&account::balance>();
    } catch (const troupe::peer_died& thrown) {
      return std::string{thrown.what()};
    }
    return std::string{};
  };
  bank.process().kill();
  REQUIRE(eventually([&] { return story().find("SIGKILL") != story().npos; }));
  // A process that starts its first takes the first place that is free.
  auto was_there = troupe::async(
    [](proxy<account> of, std::uint32_t index) {
      std::vector<troupe::process> all;
      bool found = false;
      for (int i = 0; i < 20 && !found; ++i) {
        all.push_back(troupe::start(
          [](proxy<account> user) {
            try {
              user.call<&account::balance>();
            } catch (const troupe::peer_died&) {
            }
          },
          of));
        found = all.back().view().id().index == index;
      }
      return found;
    },
    savings, place);
  CHECK(was_there.get());
  CHECK(story().find("SIGKILL") != std::string::npos);
}

TEST_CASE("functions are run in the state, where it is known") {
  const state bank;
  const auto pid = bank.run([] { return troupe::current_process().pid(); });
  CHECK(pid == bank.process().pid());
  const auto made = bank.run(
    [](std::string owner) { return state::here().make<account>(owner, 3); },
    std::string{"Ann"});
  CHECK(made.call<&account::owner>() == "Ann");
}

TEST_CASE("an object can be found by its name") {
  const state bank;
  bank.bind("savings", bank.make<account>("Sam", 1));
  CHECK(bank.find<account>("savings").call<&account::balance>() == 1);
  CHECK_THROWS_AS(static_cast<void>(bank.find<account>("nothing")),
                  troupe::unknown_name);
  CHECK_THROWS_AS(static_cast<void>(bank.find<std::string>("savings")),
                  troupe::invalid_argument);
  CHECK(bank.unbind("savings"));
  CHECK(!bank.unbind("savings"));
  CHECK(eventually([&] { return bank.size() == 0; }));
}

TEST_CASE("the call that ends its state hears how it did") {
  const auto story_of = [](auto ends) {
    const state bank;
    try {
      bank.make<account>("Sam", 0).update(ends);
    } catch (const troupe::peer_died& thrown) {
      return std::string{thrown.what()};
    }
    return std::string{};
  };
  // What the dead process held goes piece by piece: now and then the call would
  // hear of its end before the story is there.
  for (int turn = 0; turn < 10; ++turn) {
    auto story = story_of([](account&) { std::abort(); });
    CAPTURE(story);
    CHECK(story.find("SIGABRT") != story.npos);
    story = story_of([](account&) { std::quick_exit(4); });
    CHECK(story.find("code 4") != story.npos);
    story = story_of([](account&) { state::here().end(); });
    CHECK(story.find("SIGKILL") != story.npos);
  }
}

TEST_CASE("a state that was moved from says so, and may be assigned to") {
  state from;
  const auto savings = from.make<account>("Sam", 7);
  const state bank = std::move(from);
  // NOLINTBEGIN(bugprone-use-after-move)
  CHECK_THROWS_AS(static_cast<void>(from.size()), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(from.make<account>("Sam")),
                  troupe::invalid_state);
  CHECK_THROWS_AS(from.run([] {}), troupe::invalid_state);
  CHECK_THROWS_AS(from.bind("name", savings), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(from.find<account>("name")),
                  troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(from.unbind("name")),
                  troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(from.process()), troupe::invalid_state);
  CHECK_THROWS_AS(from.end(), troupe::invalid_state);
  CHECK_THROWS_AS(
    troupe::start([](state of) { static_cast<void>(of.size()); }, from).join(),
    troupe::invalid_state);
  CHECK(!(from == bank));
  // NOLINTEND(bugprone-use-after-move)
  from = bank;
  CHECK(from == bank);
  CHECK(from.size() == 1);
}

TEST_CASE("a literal that a held object or a function cannot hold is refused") {
  const state bank;
  const auto counter = bank.make<troupe::held::value<unsigned>>(3);
  CHECK(counter.get() == 3U);
  CHECK_THROWS_AS(static_cast<void>(
                    bank.make<troupe::held::value<unsigned>>(-1)),
                  troupe::invalid_argument);
  const auto grow = [](troupe::held::single<unsigned>& of, std::uint8_t by) {
    of.content += by;
  };
  counter.update(grow, 4);
  CHECK(counter.get() == 7U);
  CHECK_THROWS_AS(counter.update(grow, 256), troupe::invalid_argument);
  CHECK(counter.get() == 7U);
}
