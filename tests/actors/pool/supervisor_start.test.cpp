// SPDX-License-Identifier: BSL-1.0

// Starts that hang, die or throw; names; trees over several processes.

#include <troupe/pool/supervisor.hpp>

#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/transport/caf_version.hpp>

#include <actors/pool/children.hpp>
#include <support/eventually.hpp>
#include <support/patience.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using troupe::child;
using troupe::restart;
using troupe::supervisor;
using troupe::test::eventually;
using troupe::test::is_gone;
using troupe::test::pid_of;

namespace {

caf::behavior worker(caf::event_based_actor* self) {
  return {
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
    [self](caf::close_atom) { self->quit(); },
  };
}

/// Its constructor sends a signal to its process in the `bad`-th start and all
/// that follow.
class doomed : public caf::event_based_actor {
public:
  doomed(caf::actor_config& config, troupe::value<int> starts,
         troupe::value<std::int32_t> pid, int bad, std::int32_t signal)
    : caf::event_based_actor(config) {
    pid = static_cast<std::int32_t>(::getpid());
    if (++starts >= bad)
      ::raise(signal);
  }

  caf::behavior make_behavior() override {
    return worker(this);
  }
};

void wait_for_ever() {
  for (;;)
    ::pause();
}

class throwing : public caf::event_based_actor {
public:
  explicit throwing(caf::actor_config& config)
    : caf::event_based_actor(config) {
    throw std::runtime_error{"no water today"};
  }

  caf::behavior make_behavior() override {
    return {};
  }
};

class by_class : public caf::event_based_actor {
public:
  by_class(caf::actor_config& config, std::string word)
    : caf::event_based_actor(config), word_(std::move(word)) {
  }

  caf::behavior make_behavior() override {
    return {[this](caf::get_atom) { return word_; }};
  }

private:
  std::string word_;
};

/// Its process does not end by itself.
caf::behavior clinging(caf::event_based_actor* self) {
  std::atexit([] {
    for (;;)
      ::pause();
  });
  return worker(self);
}

template <class T, class... Ts>
T ask(const caf::actor& whom, Ts... what) {
  caf::scoped_actor self{troupe::actor_system()};
  T result{};
  troupe::transport::version::request(self, whom, std::move(what)...)
    .receive([&](T& answer) { result = std::move(answer); },
             [](caf::error& why) { FAIL(to_string(why)); });
  return result;
}

troupe::supervisor_plan branch(int leaves, std::uint32_t intensity) {
  troupe::supervisor_plan plan;
  plan.options.intensity = intensity;
  plan.options.report = [](const troupe::restart_report&) {};
  for (int i = 0; i < leaves; ++i)
    plan.children.push_back(child<worker>("leaf " + std::to_string(i)));
  return plan;
}

std::vector<troupe::child_info> children_of(const caf::actor& branch) {
  return ask<std::vector<troupe::child_info>>(branch,
                                              troupe::which_children_atom_v);
}

/// Makes a supervisor that nobody ends, and that is not lost.
void forget_supervisor(troupe::value<std::int32_t> pid) {
  static auto& of = *new supervisor{{}, {child<worker>("orphan")}}; // NOLINT
  pid = of.which_children()[0].pid;
}

void hold_supervisor(troupe::value<std::int32_t> pid) {
  supervisor of{{}, {child<worker>("orphan")}};
  pid = of.which_children()[0].pid;
  for (;;)
    ::pause();
}

} // namespace

TEST_CASE("children may be functions, classes and lambdas") {
  supervisor of{
    {},
    {child<worker>("function"), child<by_class>("class", "a literal"),
     child(
       "lambda",
       [](caf::event_based_actor*, std::int32_t x) -> caf::behavior {
         return {[x](caf::get_atom) { return x; }};
       },
       7)}};
  CHECK(ask<std::int32_t>(of.child("function"), caf::get_atom_v)
        == pid_of(of, "function"));
  CHECK(ask<std::string>(of.child("class"), caf::get_atom_v) == "a literal");
  CHECK(ask<std::int32_t>(of.child("lambda"), caf::get_atom_v) == 7);
}

TEST_CASE("a child that is stopped while it starts is killed at its limit") {
  const troupe::value<int> starts{0};
  const troupe::value<std::int32_t> pid{0};
  CHECK_THROWS_AS(
    (supervisor{{},
                {child<worker>("before"),
                 // It has to have said its number by then.
                 child<doomed>("stuck", starts, pid, 1, SIGSTOP)
                   .started_within(200ms * troupe::test::patience())}}),
    troupe::timed_out);
  CHECK(eventually([&] { return is_gone(pid); }));
}

TEST_CASE("a supervisor is closed while a child hangs in its restart") {
  const troupe::value<int> starts{0};
  const troupe::value<std::int32_t> pid{0};
  supervisor of{
    {.intensity = 5, .report = [](const auto&) {}},
    {child<doomed>("stuck", starts, pid, 2, SIGSTOP).started_within(24h)}};
  ::kill(pid_of(of, "stuck"), SIGKILL);
  REQUIRE(eventually([&] { return starts == 2; }));
  of.close();
  CHECK(eventually([&] { return is_gone(pid); }));
}

TEST_CASE("a child that is killed while it starts fails that start") {
  const troupe::value<int> starts{0};
  const troupe::value<std::int32_t> pid{0};
  std::vector<troupe::restart_report> reports;
  {
    supervisor of{{.intensity = 2,
                   .period = 60s,
                   .report
                   = [&](const auto& what) { reports.push_back(what); }},
                  {child<doomed>("doomed", starts, pid, 2, SIGKILL)}};
    ::kill(pid_of(of, "doomed"), SIGKILL);
    CHECK(eventually([&] { return !of.is_alive(); }));
  }
  CHECK(starts == 3);
  REQUIRE(reports.size() == 3);
  CHECK(reports[2].given_up);
  CHECK(reports[2].pid == 0);
  CHECK(reports[2].reason.find("SIGKILL") != std::string::npos);
}

TEST_CASE("what a child's start throws is thrown by the supervisor's") {
  try {
    const supervisor of{{}, {child<worker>("a"), child<throwing>("b")}};
    FAIL("it was made");
  } catch (const troupe::error& failure) {
    CHECK(failure.code() == troupe::errc::remote_exception);
    CHECK(std::string{failure.what()}.find("no water") != std::string::npos);
  }
  CHECK(eventually([] { return troupe::active_children().empty(); }));
  CHECK_THROWS_AS((supervisor{{}, {child<worker>("a"), child<worker>("a")}}),
                  troupe::invalid_argument);
  CHECK_THROWS_AS((supervisor{{}, {troupe::child_spec{.id = "empty"}}}),
                  troupe::invalid_argument);
}

TEST_CASE("a start of one's own that hangs is ended at its limit") {
  const auto go = std::make_shared<std::atomic<bool>>(false);
  troupe::child_spec hangs;
  hangs.id = "hangs";
  hangs.start = [go](troupe::start_watch& watch) -> caf::actor {
    watch.ends_by([go] { go->store(true); });
    troupe::test::await([&] { return go->load(); });
    return troupe::spawn<worker>(troupe::placement::here);
  };
  hangs.start_limit = 100ms;
  supervisor of{{}, {}};
  try {
    of.start_child(std::move(hangs));
    FAIL("it was started");
  } catch (const troupe::error& failure) {
    CHECK(failure.code() == troupe::errc::timed_out);
  }
  CHECK(of.which_children().empty());
}

TEST_CASE("a process that does not follow its actor is killed") {
  supervisor of{
    {.intensity = 5, .report = [](const auto&) {}},
    {child<clinging>("permanent").shut_down(troupe::shutdown::within(100ms)),
     child<clinging>("ended").shut_down(troupe::shutdown::within(100ms))}};
  const auto first = pid_of(of, "permanent");
  const auto second = pid_of(of, "ended");
  troupe::transport::version::send_anonymously(of.child("permanent"),
                                               caf::close_atom_v);
  of.terminate_child("ended");
  CHECK(eventually([&] { return is_gone(second); }));
  CHECK(eventually([&] { return is_gone(first); }));
  CHECK(of.child("permanent"));
}

TEST_CASE("so is one whose actor is in the supervisor's process") {
  const auto pid = std::make_shared<std::atomic<std::int32_t>>(0);
  troupe::child_spec speaker;
  speaker.id = "speaker";
  speaker.start = [pid](troupe::start_watch& watch) -> caf::actor {
    auto there = troupe::start<&wait_for_ever>();
    watch.has_process(there.view());
    pid->store(there.pid());
    there.detach();
    return troupe::spawn<worker>(troupe::placement::here);
  };
  speaker.shutdown = troupe::shutdown::within(100ms);
  supervisor of{{}, {std::move(speaker)}};
  const auto there = pid->load();
  REQUIRE_FALSE(is_gone(there));
  of.terminate_child("speaker");
  CHECK(eventually([&] { return is_gone(there); }));
}

TEST_CASE("a named child is found by its name after each restart") {
  supervisor of{{.intensity = 20, .report = [](const auto&) {}},
                {child<worker>("till").named("supervised till")}};
  for (int round = 0; round < 8; ++round) {
    const auto now = of.child("till");
    CHECK(troupe::names::find("supervised till") == now);
    const auto pid = pid_of(of, "till");
    if (round % 2 == 0)
      ::kill(pid, SIGKILL);
    else
      troupe::transport::version::send_anonymously(now, caf::close_atom_v);
    REQUIRE(eventually([&] { return of.child("till") != now; }));
  }
  of.close();
  CHECK(eventually([] { return !troupe::names::find("supervised till"); }));
}

TEST_CASE("a name that belongs to another fails the start") {
  supervisor of{{}, {child<worker>("a").named("one name")}};
  CHECK_THROWS_AS(of.start_child(child<worker>("b").named("one name")),
                  troupe::invalid_state);
  CHECK(of.which_children().size() == 1);
  CHECK(eventually([] { return troupe::active_children().size() == 1; }));
}

TEST_CASE("a supervisor in a process of its own is killed, and starts anew") {
  supervisor top{{.intensity = 5, .report = [](const auto&) {}},
                 {troupe::supervised<branch>("branch", 2, 5U),
                  child<worker>("other")}};
  const auto count = top.count_children();
  CHECK(count.supervisors == 1);
  CHECK(count.workers == 1);
  const auto first = top.child("branch");
  const auto before = children_of(first);
  REQUIRE(before.size() == 2);
  ::kill(pid_of(top, "branch"), SIGKILL);
  REQUIRE(eventually([&] {
    const auto now = top.child("branch");
    return now && now != first;
  }));
  // Its children are its daemons.
  for (const auto& each : before)
    CHECK(eventually([&] { return is_gone(each.pid); }));
  CHECK(children_of(top.child("branch")).size() == 2);
}

TEST_CASE("a supervisor in a process of its own gives up, and starts anew") {
  supervisor top{{.intensity = 5, .report = [](const auto&) {}},
                 {troupe::supervised<branch>("branch", 2, 0U)}};
  const auto first = top.child("branch");
  const auto before = children_of(first);
  ::kill(before[0].pid, SIGKILL);
  REQUIRE(eventually([&] {
    const auto now = top.child("branch");
    return now && now != first;
  }));
  CHECK(eventually([&] { return is_gone(before[1].pid); }));
  top.close();
  CHECK(eventually([] { return troupe::active_children().empty(); }));
}

TEST_CASE("a supervisor's process ends, and nobody has ended the supervisor") {
  const troupe::value<std::int32_t> pid{0};
  auto forgetful = troupe::start<forget_supervisor>(pid);
  const auto status = forgetful.join_for(30s);
  REQUIRE(status);
  CHECK(status->success());
  // It was not taken for a death.
  CHECK(status->last_lines().empty());
  CHECK(eventually([&] { return is_gone(pid); }));
}

TEST_CASE("a supervisor's process is killed, and its children end") {
  const troupe::value<std::int32_t> pid{0};
  auto holder = troupe::start<hold_supervisor>(pid);
  REQUIRE(eventually([&] { return pid != 0; }));
  holder.kill();
  holder.join();
  CHECK(eventually([&] { return is_gone(pid); }));
}
