// SPDX-License-Identifier: BSL-1.0

// What supervisors tell by message: reports to those who subscribe, and counts.

#include <troupe/pool/supervisor.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_version.hpp>

#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using troupe::child;
using troupe::supervisor;
using troupe::test::eventually;

namespace {

/// Child, pid, reason, restarts, whether the supervisor gave up.
using line
  = std::tuple<std::string, std::int32_t, std::string, std::uint64_t, bool>;
using lines = troupe::queue<line>;

caf::behavior worker(caf::event_based_actor*) {
  return {[](int) {}};
}

/// Writes what it is told into a queue; "end" ends it.
caf::behavior listener(caf::event_based_actor* self, lines to) {
  return {
    [to](const troupe::restart_report& what) mutable {
      to.put(
        line{what.child, what.pid, what.reason, what.restarts, what.given_up});
    },
    [self](const std::string&) { self->quit(); },
  };
}

troupe::supervisor_options silent(std::uint32_t intensity) {
  return {.intensity = intensity,
          .period = 60s,
          .report = [](const troupe::restart_report&) {}};
}

troupe::supervisor_plan branch(std::uint32_t intensity) {
  return {silent(intensity), {child<worker>("x"), child<worker>("y")}};
}

/// Kills a child and waits until it is another process. Returns which it was.
std::int32_t kill_child(const supervisor& of, std::size_t number) {
  const auto pid = of.which_children()[number].pid;
  ::kill(pid, SIGKILL);
  REQUIRE(eventually([&] {
    const auto now = of.which_children()[number].pid;
    return now != 0 && now != pid;
  }));
  return pid;
}

template <class R, class... Ts>
R ask(const caf::actor& whom, Ts... what) {
  caf::scoped_actor self{troupe::actor_system()};
  R result{};
  troupe::transport::version::request(self, whom, std::move(what)...)
    .receive([&](R& answer) { result = std::move(answer); },
             [](caf::error& why) { FAIL(to_string(why)); });
  return result;
}

void order(const caf::actor& whom, caf::subscribe_atom what,
           const caf::actor& who) {
  caf::scoped_actor self{troupe::actor_system()};
  troupe::transport::version::request(self, whom, what, who)
    .receive([] {}, [](caf::error& why) { FAIL(to_string(why)); });
}

} // namespace

TEST_CASE("who subscribes gets one message for each restart, and one for "
          "giving up") {
  for (const auto where :
       {troupe::placement::here, troupe::placement::own_process}) {
    lines book;
    const auto who = troupe::spawn<listener>(where, book);
    supervisor of{silent(2), {child<worker>("a"), child<worker>("b")}};
    of.subscribe(who);
    // Twice is once.
    of.subscribe(who);
    const auto first = kill_child(of, 0);
    const auto second = kill_child(of, 1);
    const auto third = of.which_children()[0].pid;
    ::kill(third, SIGKILL);
    CHECK(eventually([&] { return !of.is_alive(); }));
    const auto one = book.get();
    CHECK(std::get<0>(one) == "a");
    CHECK(std::get<1>(one) == first);
    CHECK(std::get<2>(one).find("SIGKILL") != std::string::npos);
    CHECK(std::get<3>(one) == 1);
    CHECK_FALSE(std::get<4>(one));
    const auto two = book.get();
    CHECK(std::get<0>(two) == "b");
    CHECK(std::get<1>(two) == second);
    CHECK(std::get<3>(two) == 2);
    const auto three = book.get();
    CHECK(std::get<0>(three) == "a");
    CHECK(std::get<1>(three) == third);
    CHECK(std::get<3>(three) == 3);
    CHECK(std::get<4>(three));
    CHECK(book.empty());
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  }
}

TEST_CASE("the hook is called as well, and who unsubscribes is told no more") {
  lines book;
  std::atomic<int> hooked = 0;
  auto options = silent(100);
  options.report = [&](const troupe::restart_report&) { ++hooked; };
  const auto who = troupe::spawn<listener>(troupe::placement::here, book);
  supervisor of{options, {child<worker>("a")}};
  of.subscribe(who);
  kill_child(of, 0);
  CHECK(std::get<3>(book.get()) == 1);
  of.unsubscribe(who);
  kill_child(of, 0);
  of.subscribe(who);
  kill_child(of, 0);
  CHECK(std::get<3>(book.get()) == 3);
  CHECK(book.empty());
  CHECK(hooked == 3);
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
}

TEST_CASE("a subscriber that dies is forgotten, and a child that subscribes is "
          "still restarted") {
  lines book;
  const auto who = troupe::spawn<listener>(troupe::placement::here, book);
  supervisor of{silent(100),
                {child<listener>("listens", book), child<worker>("b")}};
  of.subscribe(who);
  of.subscribe(of.child("listens"));
  of.unsubscribe(of.child("listens"));
  of.subscribe(of.child("listens"));
  kill_child(of, 1);
  CHECK(std::get<0>(book.get()) == "b");
  CHECK(std::get<0>(book.get()) == "b");
  troupe::transport::version::send_anonymously(who, std::string{"end"});
  // It ends by itself; its own restart is reported to nobody.
  caf::scoped_actor self{troupe::actor_system()};
  self->monitor(who);
  self->receive([](const caf::down_msg&) {});
  const auto before = of.child("listens");
  troupe::transport::version::send_anonymously(before, std::string{"end"});
  REQUIRE(eventually([&] {
    const auto now = of.child("listens");
    return now && now != before;
  }));
  kill_child(of, 1);
  CHECK(book.empty());
  CHECK(of.which_children()[0].restarts == 1);
}

TEST_CASE("a supervisor of another process reports to this one") {
  lines book;
  const auto who = troupe::spawn<listener>(troupe::placement::here, book);
  supervisor top{silent(5), {troupe::supervised<branch>("branch", 0U)}};
  top.subscribe(who);
  const auto far = top.child("branch");
  order(far, caf::subscribe_atom_v, who);
  const auto leaves
    = ask<std::vector<troupe::child_info>>(far, troupe::which_children_atom_v);
  ::kill(leaves[1].pid, SIGKILL);
  // The branch gives up, and the top restarts it.
  const auto below = book.get();
  CHECK(std::get<0>(below) == "y");
  CHECK(std::get<1>(below) == leaves[1].pid);
  CHECK(std::get<4>(below));
  const auto above = book.get();
  CHECK(std::get<0>(above) == "branch");
  CHECK_FALSE(std::get<4>(above));
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
}

TEST_CASE("a report tells what is inside of the exception that a start threw") {
  lines book;
  const auto who = troupe::spawn<listener>(troupe::placement::here, book);
  troupe::child_spec brittle{.id = "brittle"};
  // Each start has a copy of the function.
  brittle.start = [starts = std::make_shared<std::atomic<int>>(0)] {
    if ((*starts)++ == 0)
      return troupe::spawn<worker>();
    try {
      throw std::domain_error{"the disk is full"};
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"no log"});
    }
  };
  supervisor of{silent(1), {brittle}};
  of.subscribe(who);
  ::kill(of.which_children()[0].pid, SIGKILL);
  CHECK(std::get<2>(book.get()).find("SIGKILL") != std::string::npos);
  const auto reason = std::get<2>(book.get());
  CHECK_MESSAGE(reason.find("no log, caused by std::domain_error: the disk is "
                            "full")
                  != std::string::npos,
                reason);
}

TEST_CASE("children are counted by message as Erlang counts them") {
  supervisor of{silent(5),
                {child<worker>("a"), child<worker>("b"),
                 troupe::supervised("here", silent(1), {child<worker>("c")}),
                 troupe::supervised<branch>("far", 1U)}};
  of.terminate_child("b");
  const auto here = ask<troupe::child_count>(
    caf::actor_cast<caf::actor>(of.actor()), troupe::count_children_atom_v);
  CHECK(here.specs == 4);
  CHECK(here.active == 3);
  CHECK(here.supervisors == 2);
  CHECK(here.workers == 2);
  CHECK(of.count_children().active == 3);
  const auto far = ask<troupe::child_count>(of.child("far"),
                                            troupe::count_children_atom_v);
  CHECK(far.specs == 2);
  CHECK(far.workers == 2);
}

TEST_CASE("a hook that asks its own supervisor is told that it would wait for "
          "ever") {
  std::atomic<int> refused = 0;
  std::atomic<supervisor*> own = nullptr;
  supervisor other{silent(100), {child<worker>("x")}};
  auto options = silent(100);
  options.report = [&](const troupe::restart_report&) {
    const auto attempt = [&](auto what) {
      try {
        what();
      } catch (const troupe::would_deadlock&) {
        ++refused;
      }
    };
    attempt([&] { static_cast<void>(own.load()->child("a")); });
    attempt([&] { own.load()->terminate_child("a"); });
    attempt([&] { static_cast<void>(own.load()->is_alive()); });
    attempt([&] { own.load()->close(); });
    attempt([&] { static_cast<void>(other.child("x")); });
  };
  supervisor of{options, {child<worker>("a")}};
  own = &of;
  kill_child(of, 0);
  CHECK(refused == 4);
  CHECK(of.is_alive());
}
