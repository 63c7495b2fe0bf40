// SPDX-License-Identifier: BSL-1.0

// Who is killed or stopped, when the others know, and that nothing is left.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/sanitized.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// A lead and a machine that runs a process for it.
struct at_work {
  explicit at_work(const std::string& silence = "10", std::string nap = "1000")
    : lead{{"nap", std::move(nap)}, {"--troupe.silence=" + silence}},
      kitchen{lead.where(), {"--troupe.name=kitchen"}} {
    REQUIRE(kitchen.joins());
    REQUIRE(lead.wait_for("kitchen│ began"));
  }

  /// The fork server and the process.
  [[nodiscard]] std::vector<std::int32_t> members() const {
    return members_of(kitchen.run());
  }

  leading lead;
  joining kitchen;
};

/// Of a machine that works beside other tests.
constexpr std::int64_t busy = 5'000;

} // namespace

TEST_CASE(
  "a machine's root is killed: its calls fail at once, and nothing of it "
  "is left") {
  at_work both;
  REQUIRE(both.members().size() >= 3);
  const auto start = clock_type::now();
  both.kitchen.signal(SIGKILL);
  REQUIRE(both.lead.wait_for("machine_lost [get the result of a process on "
                             "machine kitchen: the machine is lost: "));
  MESSAGE("machine_lost after ", milliseconds_since(start), " ms");
  CHECK(milliseconds_since(start) < (sanitized ? busy : 1'000));
  CHECK(exited_with(both.lead.wait(), 0));
  const auto& text = both.lead.output();
  CHECK(text.find("the function may have run") != std::string::npos);
  CHECK(text.find("machine_lost [start a process on machine kitchen: it is not "
                  "there any more: ")
        != std::string::npos);
  CHECK(text.find("there=0") != std::string::npos);
  CHECK(leaves_nothing(both.kitchen.run()));
  CHECK(leaves_nothing(both.lead.run()));
}

TEST_CASE("the lead is killed: its machines end, and nothing is left") {
  at_work both;
  const auto start = clock_type::now();
  both.lead.signal(SIGKILL);
  CHECK(exited_with(both.kitchen.wait(), 1));
  CHECK(milliseconds_since(start) < busy);
  CHECK(both.kitchen.output().find(" ends: " + both.lead.where() + " is lost: ")
        != std::string::npos);
  CHECK(leaves_nothing(both.kitchen.run()));
}

TEST_CASE("Ctrl-C at the lead ends its machines, too") {
  at_work both;
  both.lead.signal(SIGINT);
  const int status = both.lead.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(WIFEXITED(both.kitchen.wait()));
  CHECK(leaves_nothing(both.kitchen.run()));
}

TEST_CASE("the lead is stopped: its machines end when their lease does") {
  at_work both{"1"};
  const auto start = clock_type::now();
  both.lead.signal(SIGSTOP);
  CHECK(exited_with(both.kitchen.wait(), 1));
  const auto after = milliseconds_since(start);
  MESSAGE("the machine ended after ", after, " ms");
  // The last sign that was answered was sent before the stop.
  CHECK(after >= 500);
  CHECK(after < 1'500 + busy);
  CHECK(leaves_nothing(both.kitchen.run()));
  // And the lead knows it when it goes on.
  both.lead.signal(SIGCONT);
  CHECK(exited_with(both.lead.wait(), 0));
  CHECK(both.lead.output().find("machine_lost [") != std::string::npos);
}

TEST_CASE(
  "a machine's root is stopped: its fork server ends the run, before the "
  "lead counts it as lost") {
  at_work both{"1"};
  const auto start = clock_type::now();
  both.kitchen.signal(SIGSTOP);
  CHECK(eventually([&] { return members_of(both.kitchen.run()).empty(); }));
  const auto empty = milliseconds_since(start);
  MESSAGE("nothing is left after ", empty, " ms");
  CHECK(empty >= 500);
  CHECK(empty < 1'500 + busy);
  REQUIRE(both.lead.wait_for("machine_lost ["));
  CHECK(exited_with(both.lead.wait(), 0));
  const int status = both.kitchen.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("a machine that is stopped for less than its lease is not lost") {
  at_work both{"2", "3"};
  both.kitchen.signal(SIGSTOP);
  // Time: how long it is stopped.
  std::this_thread::sleep_for(700ms);
  both.kitchen.signal(SIGCONT);
  CHECK(exited_with(both.lead.wait(), 0));
  CHECK(both.lead.output().find("result 7 after") != std::string::npos);
  CHECK(both.lead.output().find("there=1") != std::string::npos);
  CHECK(exited_with(both.kitchen.wait(), 0));
}

TEST_CASE("a whole machine is stopped and goes on: it ends itself, and nobody "
          "comes back") {
  at_work both{"1"};
  const auto all = both.members();
  for (const auto pid : all)
    ::kill(pid, SIGSTOP);
  REQUIRE(
    both.lead.wait_for("machine_lost [get the result of a process on "
                       "machine kitchen: the machine is lost: nothing has "
                       "come for 1500 ms"));
  CHECK(exited_with(both.lead.wait(), 0));
  CHECK(both.lead.output().find("machine_lost [") != std::string::npos);
  for (const auto pid : all)
    ::kill(pid, SIGCONT);
  static_cast<void>(both.kitchen.wait());
  CHECK(leaves_nothing(both.kitchen.run()));
}

TEST_CASE(
  "a machine's fork server is killed: what runs goes on, and more can be "
  "started") {
  leading lead{{"nap", "1.5"}};
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("kitchen│ began"));
  for (const auto pid : members_of(kitchen.run()))
    if (pid != kitchen.pid() && name_of(pid) == "troupe-forks")
      ::kill(pid, SIGKILL);
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("result 7 after") != std::string::npos);
  CHECK(lead.output().find("result 4 after") != std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(leaves_nothing(kitchen.run()));
}

TEST_CASE("a lost machine is told of, and one that comes again is another") {
  leading lead{{"watch"}};
  REQUIRE(lead.wait_for("watching"));
  joining first{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(first.joins());
  REQUIRE(lead.wait_for("event kitchen joined there=1"));
  first.signal(SIGKILL);
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("event kitchen lost there=0") != std::string::npos);
}

TEST_CASE("machines killed at any moment leave nothing") {
  std::srand(17);
  for (int round = 0; round < 6; ++round) {
    leading lead{{"squares", "200", "1"}};
    joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
    REQUIRE(kitchen.joins());
    // Time: the moment of the kill is the input of the test.
    std::this_thread::sleep_for(std::chrono::milliseconds{std::rand() % 120});
    kitchen.signal(SIGKILL);
    static_cast<void>(lead.wait());
    CHECK(leaves_nothing(kitchen.run()));
    CHECK(leaves_nothing(lead.run()));
  }
}
