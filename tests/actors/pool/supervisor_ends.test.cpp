// SPDX-License-Identifier: BSL-1.0

// How children end, who else may end a supervisor, and what it is made with.

#include <troupe/pool/pool.hpp>
#include <troupe/pool/supervisor.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/transport/caf_error.hpp>

#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using troupe::child;
using troupe::restart;
using troupe::supervisor;
using troupe::test::eventually;

namespace {

/// Takes that long in its function, and ends by itself or with an error.
caf::behavior job(caf::event_based_actor* self, std::int32_t microseconds,
                  bool fails) {
  // Time: an input.
  std::this_thread::sleep_for(std::chrono::microseconds{microseconds});
  if (fails)
    self->quit(caf::make_error(caf::sec::runtime_error, "as it was told"));
  return {};
}

caf::behavior exits(caf::event_based_actor*, std::int32_t code) {
  return {[code](caf::close_atom) { std::exit(code); }};
}

caf::behavior worker(caf::event_based_actor*) {
  return {[](std::int32_t x) { return x; }};
}

/// Links to another actor when it is made, and ends as it is told.
caf::behavior partner(caf::event_based_actor* self, const caf::actor& other,
                      bool links) {
  if (links)
    self->link_to(other);
  return {
    [](std::int32_t x) { return x; },
    [=](caf::close_atom, const caf::error& why) { self->quit(why); },
    [=](caf::put_atom, const caf::error& why) { self->send_exit(other, why); },
  };
}

struct counted {
  std::atomic<int> restarts{0};
  std::atomic<int> given_up{0};
  std::string reason;

  std::function<void(const troupe::restart_report&)> report() {
    return [this](const troupe::restart_report& what) {
      reason = what.reason;
      ++(what.given_up ? given_up : restarts);
    };
  }
};

const caf::error endings[] = {
  {},
  caf::exit_reason::user_shutdown,
  caf::sec::runtime_error,
  caf::exit_reason::kill,
};

std::int32_t ask(const caf::actor& whom) {
  std::int32_t result = 0;
  caf::scoped_actor self{troupe::actor_system()};
  self->request(whom, 20s, std::int32_t{5})
    .receive([&](std::int32_t x) { result = x; }, [](const caf::error&) {});
  return result;
}

void await_end(const caf::actor& whom) {
  caf::scoped_actor self{troupe::actor_system()};
  self->wait_for(whom);
}

/// Each partner of `of`, in this process and in another, ends in each way; it
/// still answers after that.
void check_outlives_partners(const supervisor& of,
                             const caf::actor& linked_to) {
  for (const auto& why : endings)
    for (const auto where :
         {troupe::placement::here, troupe::placement::own_process}) {
      CAPTURE(to_string(why));
      const auto one = troupe::spawn<partner>(where, linked_to, true);
      CHECK(ask(one) == 5);
      caf::anon_send(one, caf::close_atom_v, why);
      await_end(one);
      CHECK(of.is_alive());
      CHECK(of.count_children().active == of.count_children().specs);
    }
}

int negated(int x) {
  return -x;
}

troupe::supervisor_plan branch() {
  return {{}, {child<worker>("leaf")}};
}

/// Throws of its type at its second start.
struct second_start_throws {
  std::shared_ptr<int> starts = std::make_shared<int>(0);
  caf::actor operator()() const {
    throw std::domain_error("not this one");
  }
};

template <class Make>
void check_refused(Make make, const std::string& option) {
  try {
    make();
    FAIL("was accepted: " << option);
  } catch (const troupe::invalid_argument& refused) {
    CAPTURE(refused.what());
    CHECK(std::string{refused.what()}.find(option) != std::string::npos);
  }
}

} // namespace

TEST_CASE("a transient child that ends by itself at once is not restarted") {
  for (const auto when : {restart::transient, restart::temporary})
    for (const std::int32_t microseconds : {0, 200, 1'000, 3'000, 20'000})
      for (int round = 0; round < 8; ++round) {
        CAPTURE(microseconds);
        counted seen;
        supervisor shop{{.report = seen.report()},
                        {child<job>("job", microseconds, false).restarted(when),
                         child<worker>("other")}};
        CHECK(
          eventually([&] { return shop.count_children().active == 1; }, 20s));
        CAPTURE(seen.reason);
        CHECK(seen.restarts == 0);
        CHECK(seen.given_up == 0);
      }
}

TEST_CASE("one that ends with an error at once is restarted, and says why") {
  counted seen;
  supervisor shop{{.intensity = 2, .report = seen.report()},
                  {child<job>("job", 0, true).restarted(restart::transient)}};
  CHECK(eventually([&] { return seen.given_up == 1; }));
  CHECK(!shop.is_alive());
  CHECK(seen.restarts == 2);
  CHECK(seen.reason.find("as it was told") != std::string::npos);
}

TEST_CASE("a transient child whose process exits with 0 has ended by itself") {
  counted seen;
  supervisor shop{{.intensity = 1, .report = seen.report()},
                  {child<exits>("good", 0).restarted(restart::transient),
                   child<exits>("bad", 3).restarted(restart::transient)}};
  caf::anon_send(shop.child("good"), caf::close_atom_v);
  CHECK(eventually([&] { return shop.count_children().active == 1; }));
  CHECK(seen.restarts == 0);
  caf::anon_send(shop.child("bad"), caf::close_atom_v);
  CHECK(eventually([&] { return seen.restarts == 1; }));
  CHECK(seen.reason.find("code 3") != std::string::npos);
}

TEST_CASE("a supervisor outlives those that link to it, however they end") {
  counted seen;
  supervisor shop{{.report = seen.report()},
                  {child<worker>("till"),
                   troupe::supervised("branch", {}, {child<worker>("leaf")}),
                   troupe::supervised<branch>("far")}};
  check_outlives_partners(shop, caf::actor_cast<caf::actor>(shop.actor()));
  check_outlives_partners(shop, shop.child("branch"));
  check_outlives_partners(shop, shop.child("far"));
  CHECK(seen.restarts == 0);
}

TEST_CASE("an exit message of one that is not linked ends it, in order") {
  for (const auto& why : endings) {
    CAPTURE(to_string(why));
    supervisor shop{{}, {child<worker>("till")}};
    const auto till = shop.child("till");
    const auto one = troupe::spawn<partner>(
      caf::actor_cast<caf::actor>(shop.actor()), false);
    caf::anon_send(one, caf::put_atom_v, why);
    // Behind it: one sender's messages come in order.
    CHECK(ask(one) == 5);
    if (why) {
      await_end(caf::actor_cast<caf::actor>(shop.actor()));
      await_end(till);
    }
    CHECK(shop.is_alive() == !why);
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("a message that is an error ends no supervisor") {
  supervisor shop{{}, {child<worker>("till")}};
  const auto whom = caf::actor_cast<caf::actor>(shop.actor());
  caf::anon_send(whom, caf::make_error(caf::sec::runtime_error));
  caf::scoped_actor self{troupe::actor_system()};
  caf::error answer;
  self->request(whom, 20s, caf::make_error(caf::sec::runtime_error))
    .receive([] {}, [&](const caf::error& why) { answer = why; });
  CHECK(answer == caf::sec::unexpected_message);
  CHECK(shop.is_alive());
}

TEST_CASE("start_child throws what the constructor would throw") {
  supervisor shop{{}, {}};
  const troupe::child_spec spec{"one", second_start_throws{}};
  CHECK_THROWS_AS(supervisor({}, {spec}), std::domain_error);
  CHECK_THROWS_AS(shop.start_child(spec), std::domain_error);
  const auto fails = child(
    "two",
    [](caf::event_based_actor*, std::int32_t) -> caf::behavior {
      throw std::domain_error("nor that one");
    },
    std::int32_t{1});
  CHECK_THROWS_AS(supervisor({}, {fails}), troupe::remote_error);
  try {
    shop.start_child(fails);
    FAIL("was started");
  } catch (const troupe::remote_error& failure) {
    CHECK(failure.type() == "std::domain_error");
    CHECK(std::string{failure.what()}.find("nor that one")
          != std::string::npos);
  }
  CHECK_THROWS_AS(shop.start_child({"three", {}}), troupe::invalid_argument);
  CHECK_THROWS_AS(shop.child("four"), troupe::unknown_name);
  shop.start_child(child<worker>("five"));
  CHECK_THROWS_AS(shop.restart_child("five"), troupe::invalid_state);
  CHECK_THROWS_AS(shop.start_child(child<worker>("five")),
                  troupe::invalid_argument);
}

TEST_CASE("a supervisor refuses numbers that cannot be, by their name") {
  const auto with = [](troupe::supervisor_options options) {
    return [=] { supervisor made{options, {child<worker>("one")}}; };
  };
  for (const auto period : {0ns, -1ns, -5'000'000'000ns})
    check_refused(with({.period = period}), "period");
  check_refused(with({.intensity = static_cast<std::uint32_t>(-65'536)}),
                "intensity is -65536");
  check_refused(with({.intensity = static_cast<std::uint32_t>(-1)}),
                "intensity is -1");
  check_refused(with({.strategy = static_cast<troupe::strategy>(7)}),
                "strategy");
  supervisor shop{{.intensity = 0}, {}};
  const auto refuses = [&](const troupe::child_spec& spec,
                           const std::string& option) {
    check_refused([&] { supervisor made({}, {spec}); }, option);
    check_refused([&] { shop.start_child(spec); }, option);
    check_refused(
      [&] { supervisor made({}, {troupe::supervised("in", {}, {spec})}); },
      option);
  };
  refuses(child<worker>("one").started_within(0ns), "start_limit");
  refuses(child<worker>("one").started_within(-1s), "start_limit");
  refuses(child<worker>("one").shut_down(troupe::shutdown::within(-1ns)),
          "shutdown");
  refuses(child<worker>("one").restarted(static_cast<restart>(9)), "restart");
}

TEST_CASE("a pool refuses numbers that cannot be, by their name") {
  const auto refuses = [](const troupe::pool_options& options,
                          const std::string& option) {
    check_refused([&] { troupe::pool made{options}; }, option);
  };
  refuses({.size = static_cast<std::uint32_t>(-1)}, "size is -1");
  refuses({.size = 1, .tasks_per_worker = static_cast<std::uint64_t>(-2)},
          "tasks_per_worker is -2");
  refuses({.size = 1, .retries = static_cast<std::uint32_t>(-3)},
          "retries is -3");
  refuses({.size = 1, .soft_limit = 0ns}, "soft_limit");
  refuses({.size = 1, .soft_limit = -1s}, "soft_limit");
  refuses({.size = 1, .hard_limit = 0ns}, "hard_limit");
  refuses({.size = 1, .hard_limit = -1s}, "hard_limit");
  refuses({.size = 1, .intensity = static_cast<std::uint32_t>(-1)},
          "intensity is -1");
  refuses({.size = 1, .period = 0ns}, "period");
  refuses({.size = 1, .period = -1ns}, "period");
  troupe::pool workers{1};
  check_refused(
    [&] {
      static_cast<void>(workers.map<negated>(std::vector<int>{1, 2},
                                             static_cast<std::size_t>(-4)));
    },
    "chunk is -4");
}
