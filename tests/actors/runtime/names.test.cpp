// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/names.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/spawn.hpp>

#include <support/eventually.hpp>
#include <support/stopped.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

caf::behavior echo(caf::event_based_actor* self) {
  return {
    [](std::int32_t x) { return x; },
    [self](caf::close_atom) { self->quit(); },
  };
}

/// Runs in a process of its own: registers an actor of that process.
caf::behavior registrar(caf::event_based_actor* self, const std::string& name) {
  troupe::names::set(name, caf::actor_cast<caf::actor>(self));
  return echo(self);
}

std::int32_t ask(const caf::actor& whom) {
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t result = 0;
  self->request(whom, 20s, std::int32_t{7})
    .receive([&](std::int32_t x) { result = x; }, [](caf::error&) {});
  return result;
}

} // namespace

TEST_CASE("a name set in one process is found in another, and reached") {
  troupe::host house{"house"};
  static_cast<void>(house.spawn<registrar>("far away"));
  const auto found = troupe::names::wait_for("far away", 20s);
  REQUIRE(found);
  CHECK(ask(*found) == 7);
}

TEST_CASE("who waits for a name sleeps until it is set") {
  troupe::host house{"house"};
  std::atomic<std::int32_t> thread{0};
  std::optional<caf::actor> found;
  std::thread waiter{[&] {
    thread = ::gettid();
    found = troupe::names::wait_for("late", 60s);
  }};
  CHECK(troupe::test::eventually(
    [&] { return thread != 0 && troupe::test::activity_of(thread) == 'S'; }));
  CHECK(!troupe::names::find("late"));
  static_cast<void>(house.spawn<registrar>("late"));
  waiter.join();
  REQUIRE(found);
  CHECK(ask(*found) == 7);
}

TEST_CASE("a name that nobody has is not found, and waiting ends") {
  CHECK(!troupe::names::find("nobody"));
  const auto start = std::chrono::steady_clock::now();
  CHECK(!troupe::names::wait_for("nobody", 30ms));
  CHECK(!troupe::names::wait_until("nobody",
                                   std::chrono::system_clock::now() + 30ms));
  CHECK(std::chrono::steady_clock::now() - start >= 30ms);
}

TEST_CASE("a name belongs to one living actor at a time") {
  const auto a = troupe::spawn<echo>(troupe::placement::here);
  const auto b = troupe::spawn<echo>(troupe::placement::here);
  troupe::names::set("one", a);
  troupe::names::set("one", a);
  CHECK_THROWS_AS(troupe::names::set("one", b), troupe::invalid_state);
  CHECK(troupe::names::erase("one"));
  CHECK(!troupe::names::erase("one"));
  troupe::names::set("one", b);
  CHECK(troupe::names::find("one") == b);
  caf::anon_send(b, caf::close_atom_v);
  CHECK(troupe::test::eventually([] { return !troupe::names::find("one"); }));
  caf::anon_send(a, caf::close_atom_v);
}

TEST_CASE("the name of a killed process is free") {
  const auto own = troupe::spawn<echo>(troupe::placement::here);
  troupe::host house{"house"};
  static_cast<void>(house.spawn<registrar>("inherited"));
  REQUIRE(troupe::names::wait_for("inherited", 20s));
  house.kill();
  CHECK(
    troupe::test::eventually([] { return !troupe::names::find("inherited"); }));
  troupe::names::set("inherited", own);
  CHECK(troupe::names::find("inherited") == own);
  caf::anon_send(own, caf::close_atom_v);
}

TEST_CASE("names and handles that cannot be are refused") {
  const auto own = troupe::spawn<echo>(troupe::placement::here);
  CHECK_THROWS_AS(troupe::names::set("", own), troupe::invalid_argument);
  CHECK_THROWS_AS(troupe::names::set(std::string(300, 'x'), own),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(troupe::names::set("empty", caf::actor{}),
                  troupe::invalid_argument);
  troupe::names::set("plain", own);
  using other = caf::typed_actor<caf::result<void>(std::int32_t)>;
  CHECK_THROWS_AS(static_cast<void>(troupe::names::find<other>("plain")),
                  troupe::invalid_argument);
  caf::anon_send(own, caf::close_atom_v);
}
