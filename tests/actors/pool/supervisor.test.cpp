// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/supervisor.hpp>

#include <troupe/runtime/actor_system.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/transport/caf_version.hpp>

#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::child;
using troupe::restart;
using troupe::strategy;
using troupe::supervisor;
using troupe::test::eventually;

namespace {

/// Says its pid; ends as it is told to.
caf::behavior worker(caf::event_based_actor* self) {
  return {
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
    [self](caf::close_atom) { self->quit(); },
    [self](caf::delete_atom) { self->quit(caf::sec::runtime_error); },
    [](caf::put_atom, std::int32_t signal) { ::raise(signal); },
  };
}

/// Does not listen to exit messages.
caf::behavior deaf(caf::event_based_actor* self) {
  self->set_exit_handler([](caf::scheduled_actor*, caf::exit_msg&) {});
  return {[](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); }};
}

struct log_book {
  std::mutex mutex;
  std::vector<troupe::restart_report> reports;

  std::function<void(const troupe::restart_report&)> writer() {
    return [this](const troupe::restart_report& what) {
      const std::scoped_lock guard{mutex};
      reports.push_back(what);
    };
  }

  std::vector<troupe::restart_report> read() {
    const std::scoped_lock guard{mutex};
    return reports;
  }
};

std::vector<std::int32_t> pids(const supervisor& of) {
  std::vector<std::int32_t> result;
  for (const auto& each : of.which_children())
    result.push_back(each.pid);
  return result;
}

void kill_child(const supervisor& of, const std::string& id) {
  for (const auto& each : of.which_children())
    if (each.id == id)
      ::kill(each.pid, SIGKILL);
}

/// Waits until `id` runs in another process than `before`.
bool restarted(const supervisor& of, const std::string& id,
               std::int32_t before) {
  return eventually([&] {
    for (const auto& each : of.which_children())
      if (each.id == id)
        return each.pid != 0 && each.pid != before;
    return false;
  });
}

/// A child whose starts fail but for the first `good` ones.
troupe::child_spec moody(std::string id, troupe::value<int> starts, int good) {
  troupe::child_spec result;
  result.id = std::move(id);
  result.start = [starts, good]() mutable {
    if (++starts > good)
      throw std::runtime_error{"not today"};
    return troupe::spawn<worker>();
  };
  return result;
}

/// A child whose starts with these numbers fail; the first start is 1.
troupe::child_spec fails_at(std::string id, troupe::value<int> starts,
                            std::vector<int> bad) {
  troupe::child_spec result;
  result.id = std::move(id);
  result.start = [starts, bad]() mutable {
    const int number = ++starts;
    if (std::find(bad.begin(), bad.end(), number) != bad.end())
      throw number; // NOLINT: whatever a user may throw
    return troupe::spawn<worker>();
  };
  return result;
}

template <class... Ts>
void tell(const caf::actor& whom, Ts... what) {
  caf::scoped_actor self{troupe::actor_system()};
  self->send(whom, std::move(what)...);
}

std::vector<troupe::child_spec> three() {
  return {child<worker>("a"), child<worker>("b"), child<worker>("c")};
}

} // namespace

TEST_CASE("children are started in order, and told of") {
  supervisor of{{}, three()};
  const auto all = of.which_children();
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "a");
  CHECK(all[2].id == "c");
  CHECK(all[0].pid != all[1].pid);
  const auto count = of.count_children();
  CHECK(count.specs == 3);
  CHECK(count.active == 3);
  CHECK(count.workers == 3);
  CHECK(count.supervisors == 0);
  CHECK(of.child("b") == all[1].actor);
  CHECK_THROWS_AS(static_cast<void>(of.child("d")), troupe::unknown_name);
}

TEST_CASE("one for one restarts the one that was killed, and says why") {
  log_book book;
  supervisor of{{.intensity = 5, .report = book.writer()}, three()};
  const auto before = pids(of);
  kill_child(of, "b");
  CHECK(restarted(of, "b", before[1]));
  const auto after = pids(of);
  CHECK(after[0] == before[0]);
  CHECK(after[2] == before[2]);
  REQUIRE(book.read().size() == 1);
  CHECK(book.read()[0].child == "b");
  CHECK(book.read()[0].reason.find("SIGKILL") != std::string::npos);
  // The process is named like the child.
  CHECK(book.read()[0].reason.find("'b'") != std::string::npos);
  CHECK(book.read()[0].pid == before[1]);
  CHECK(of.which_children()[1].restarts == 1);
}

TEST_CASE("one for all restarts all, rest for one those started after it") {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    log_book book;
    supervisor of{{.strategy = how, .intensity = 5, .report = book.writer()},
                  three()};
    const auto before = pids(of);
    kill_child(of, "b");
    CHECK(restarted(of, "c", before[2]));
    const auto after = pids(of);
    CHECK((after[0] == before[0]) == (how == strategy::rest_for_one));
    CHECK(after[1] != before[1]);
    CHECK(book.read().size() == 1);
  }
}

TEST_CASE("permanent, transient and temporary children are what Erlang says") {
  log_book book;
  supervisor of{{.intensity = 10, .report = book.writer()},
                {child<worker>("permanent"),
                 child<worker>("transient").restarted(restart::transient),
                 child<worker>("temporary").restarted(restart::temporary)}};
  const auto before = pids(of);
  for (const auto* id : {"permanent", "transient", "temporary"})
    tell(of.child(id), caf::close_atom_v);
  CHECK(restarted(of, "permanent", before[0]));
  CHECK(eventually([&] { return of.which_children().size() == 2; }));
  CHECK(eventually([&] { return !of.child("transient"); }));
  CHECK(of.restart_child("transient"));
  const auto again = pids(of);
  tell(of.child("transient"), caf::delete_atom_v);
  CHECK(restarted(of, "transient", again[1]));
  tell(of.child("transient"), caf::put_atom_v, std::int32_t{SIGSEGV});
  const auto last = book.read().size();
  CHECK(eventually([&] { return book.read().size() > last - 1; }));
}

TEST_CASE("too many restarts end the supervisor and its children") {
  log_book book;
  supervisor of{{.intensity = 2, .period = 60s, .report = book.writer()},
                three()};
  const auto others = pids(of);
  for (int kills = 0; kills < 3; ++kills) {
    const auto before = pids(of);
    kill_child(of, "a");
    if (kills < 2)
      CHECK(restarted(of, "a", before[0]));
  }
  CHECK(eventually([&] { return !of.is_alive(); }));
  CHECK(eventually([&] { return ::kill(others[1], 0) != 0; }));
  REQUIRE(!book.read().empty());
  CHECK(book.read().back().given_up);
  CHECK_THROWS_AS(static_cast<void>(of.child("a")), troupe::peer_died);
}

TEST_CASE("a supervisor that gives up is restarted by its own") {
  log_book inner;
  log_book outer;
  supervisor top{{.intensity = 3, .report = outer.writer()},
                 {troupe::supervised(
                    "branch",
                    {.intensity = 0, .period = 60s, .report = inner.writer()},
                    {child<worker>("leaf")}),
                  child<worker>("other")}};
  const auto branch = top.child("branch");
  CHECK(top.which_children()[0].supervises);
  const auto other = top.which_children()[1].pid;
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t leaf = 0;
  troupe::transport::version::request(
    self, caf::actor_cast<troupe::supervisor_actor>(branch),
    troupe::which_children_atom_v)
    .receive(
      [&](const std::vector<troupe::child_info>& all) { leaf = all[0].pid; },
      [](caf::error& why) { FAIL(to_string(why)); });
  REQUIRE(leaf > 0);
  ::kill(leaf, SIGKILL);
  CHECK(eventually([&] { return outer.read().size() == 1; }));
  CHECK(eventually([&] { return top.child("branch") != branch; }));
  CHECK(inner.read().back().given_up);
  CHECK(outer.read().back().child == "branch");
  CHECK(top.which_children()[1].pid == other);
}

TEST_CASE("children are added, terminated, restarted and deleted") {
  supervisor of{{}, {}};
  const auto made = of.start_child(child<worker>("late"));
  CHECK(of.child("late") == made);
  CHECK_THROWS_AS(of.start_child(child<worker>("late")),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(of.delete_child("late"), troupe::invalid_state);
  CHECK_THROWS_AS(of.restart_child("late"), troupe::invalid_state);
  const auto pid = pids(of)[0];
  of.terminate_child("late");
  CHECK(eventually([&] { return ::kill(pid, 0) != 0; }));
  CHECK(!of.child("late"));
  CHECK(of.restart_child("late"));
  of.terminate_child("late");
  of.delete_child("late");
  CHECK(of.which_children().empty());
}

TEST_CASE("a child that does not listen is killed after its time") {
  supervisor of{{},
                {child<deaf>("deaf").shut_down(troupe::shutdown::within(50ms)),
                 child<deaf>("brutal").shut_down(troupe::shutdown::kill())}};
  const auto before = pids(of);
  of.close();
  CHECK(eventually(
    [&] { return ::kill(before[0], 0) != 0 && ::kill(before[1], 0) != 0; }));
  CHECK_FALSE(of.is_alive());
  CHECK_THROWS_AS(static_cast<void>(of.child("deaf")), troupe::invalid_state);
  of.close();
}

TEST_CASE("a start that fails ends those started before it") {
  troupe::value<int> starts{0};
  CHECK_THROWS_AS((supervisor{{}, {child<worker>("a"), moody("b", starts, 0)}}),
                  std::runtime_error);
  CHECK(starts == 1);
}

TEST_CASE("a restart that fails counts as another end") {
  log_book book;
  troupe::value<int> starts{0};
  supervisor of{{.intensity = 3, .period = 60s, .report = book.writer()},
                {moody("moody", starts, 1)}};
  kill_child(of, "moody");
  CHECK(eventually([&] { return !of.is_alive(); }));
  CHECK(book.read().size() == 4);
  CHECK(book.read().back().reason.find("not today") != std::string::npos);
  CHECK(starts == 4);
}

TEST_CASE("a child that never starts again can be terminated, and the "
          "supervisor closed") {
  log_book book;
  troupe::value<int> starts{0};
  supervisor of{{.intensity = 1'000'000'000, .report = book.writer()},
                {moody("moody", starts, 1), child<worker>("other")}};
  kill_child(of, "moody");
  REQUIRE(eventually([&] { return starts > 5; }));
  CHECK_THROWS_AS(of.restart_child("moody"), troupe::invalid_state);
  CHECK_THROWS_AS(of.delete_child("moody"), troupe::invalid_state);
  SUBCASE("terminated") {
    of.terminate_child("moody");
    const int last = starts;
    CHECK(of.child("other"));
    CHECK(starts == last);
    of.delete_child("moody");
    CHECK(of.which_children().size() == 1);
  }
  SUBCASE("closed at once") {
  }
  of.close();
}

TEST_CASE("rest for one tries again from the child that did not start") {
  log_book book;
  troupe::value<int> starts{0};
  supervisor of{{.strategy = strategy::rest_for_one,
                 .intensity = 9,
                 .period = 60s,
                 .report = book.writer()},
                {child<worker>("a"), fails_at("b", starts, {2, 3}),
                 child<worker>("c")}};
  const auto before = pids(of);
  kill_child(of, "a");
  REQUIRE(restarted(of, "c", before[2]));
  const auto all = of.which_children();
  CHECK(all[0].restarts == 1);
  CHECK(all[1].restarts == 1);
  CHECK(all[2].restarts == 1);
  CHECK(starts == 4);
  const auto reports = book.read();
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].child == "a");
  CHECK(reports[1].child == "b");
  CHECK(reports[2].child == "b");
  CHECK(reports[2].restarts == 3);
}

TEST_CASE("one for all ends a temporary child for good") {
  supervisor of{{.strategy = strategy::one_for_all, .intensity = 5},
                {child<worker>("a"),
                 child<worker>("guest").restarted(restart::temporary),
                 child<worker>("c")}};
  const auto before = pids(of);
  kill_child(of, "c");
  CHECK(restarted(of, "c", before[2]));
  CHECK(of.which_children().size() == 2);
  CHECK(eventually([&] { return ::kill(before[1], 0) != 0; }));
}

TEST_CASE("the end of a temporary child disturbs no other") {
  log_book book;
  supervisor of{{.strategy = strategy::one_for_all, .report = book.writer()},
                {child<worker>("a"),
                 child<worker>("guest").restarted(restart::temporary)}};
  const auto before = pids(of);
  kill_child(of, "guest");
  CHECK(eventually([&] { return of.which_children().size() == 1; }));
  CHECK(pids(of)[0] == before[0]);
  CHECK(book.read().empty());
}

TEST_CASE("a child that dies while another is ended is not waited for") {
  // Were its death forgotten, an infinite shutdown would wait for ever.
  supervisor of{{.strategy = strategy::one_for_all, .intensity = 5},
                {child<worker>("a"),
                 child<worker>("b").shut_down(troupe::shutdown::infinity()),
                 child<deaf>("c").shut_down(troupe::shutdown::within(500ms))}};
  const auto before = pids(of);
  ::kill(before[0], SIGKILL);
  ::kill(before[1], SIGKILL);
  CHECK(restarted(of, "c", before[2]));
  of.close();
}

TEST_CASE("a stopped child is killed when its time has passed") {
  supervisor of{
    {}, {child<worker>("a").shut_down(troupe::shutdown::within(100ms))}};
  const auto pid = pids(of)[0];
  ::kill(pid, SIGSTOP);
  of.close();
  CHECK(eventually([&] { return ::kill(pid, 0) != 0; }));
}

TEST_CASE("a child in this process that does not listen is ended, too") {
  troupe::child_spec here;
  here.id = "here";
  here.start = [] { return troupe::spawn<deaf>(troupe::placement::here); };
  here.shutdown = troupe::shutdown::within(50ms);
  supervisor of{{}, {std::move(here)}};
  CHECK(of.which_children()[0].pid == 0);
  of.close();
}

TEST_CASE("a supervisor that gives up ends as one that was shut down") {
  log_book inner;
  supervisor top{{},
                 {troupe::supervised("branch",
                                     {.intensity = 0, .report = inner.writer()},
                                     {child<worker>("leaf")})
                    .restarted(restart::transient)}};
  caf::scoped_actor self{troupe::actor_system()};
  const auto branch = top.child("branch");
  self->monitor(branch);
  std::int32_t leaf = 0;
  troupe::transport::version::request(
    self, caf::actor_cast<troupe::supervisor_actor>(branch),
    troupe::which_children_atom_v)
    .receive(
      [&](const std::vector<troupe::child_info>& all) { leaf = all[0].pid; },
      [](caf::error& why) { FAIL(to_string(why)); });
  ::kill(leaf, SIGKILL);
  self->receive([](const caf::down_msg& down) {
    CHECK(down.reason == caf::exit_reason::user_shutdown);
  });
  // By itself, in Erlang's sense: a transient one stays as it is.
  CHECK(eventually([&] { return !top.child("branch"); }));
  CHECK(inner.read().size() == 1);
}

TEST_CASE("whatever starts and reports throw, the supervisor goes on") {
  troupe::value<int> starts{0};
  int reports = 0;
  {
    supervisor of{{.intensity = 5,
                   .report =
                     [&](const troupe::restart_report&) {
                       ++reports;
                       throw 1; // NOLINT
                     }},
                  {fails_at("a", starts, {2})}};
    const auto before = pids(of)[0];
    kill_child(of, "a");
    CHECK(restarted(of, "a", before));
  }
  CHECK(reports == 2);
}

TEST_CASE("children killed at random are all restarted") {
  log_book book;
  supervisor of{{.intensity = 1000, .report = book.writer()}, three()};
  std::minstd_rand random{std::random_device{}()};
  for (int kills = 0; kills < 30; ++kills) {
    const auto all = of.which_children();
    const auto& victim = all[random() % all.size()];
    REQUIRE(victim.pid > 0);
    ::kill(victim.pid, SIGKILL);
    REQUIRE(restarted(of, victim.id, victim.pid));
  }
  CHECK(book.read().size() == 30);
}
