// SPDX-License-Identifier: BSL-1.0

// Machines as other processes use them than the root of the lead's run; and
// handles of actors as arguments and results of functions there.

#include "at_work.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

using namespace troupe::test;

namespace {

/// A lead of `asking_role`, and its machines.
struct at_work : machines_at_work {
  explicit at_work(std::vector<std::string> what, int machines = 1)
    : machines_at_work("asking_role", std::move(what), machines) {
  }
};

/// What a process has seen that has done all that one may do.
void check_use(at_work& of, const std::string& prefix, std::size_t machines) {
  const auto printed = [&](const std::string& line) {
    return of.printed(prefix + line);
  };
  CHECK(printed("listed " + std::to_string(machines) + '\n'));
  for (const auto* yes :
       {"found", "there", "processors", "address", "first", "elsewhere"})
    CHECK(printed(std::string{yes} + " 1\n"));
  for (const auto* no : {"nobody", "in time"})
    CHECK(printed(std::string{no} + " 0\n"));
  CHECK(printed("square 49\n"));
  CHECK(printed("lambda 7\n"));
  CHECK(printed("failed remote_exception ["));
  CHECK(printed("died process_died ["));
  CHECK(printed("terminated process_died ["));
  CHECK(printed("actor 15\n"));
  CHECK(
    printed("cold remote_exception [call the maker of an actor on machine "));
  CHECK(of.lead.output().find("text=the oven is cold\n") != std::string::npos);
  CHECK(printed("events invalid_state ["));
}

} // namespace

TEST_CASE(
  "a process of the lead's run lists, finds and waits for machines, and "
  "starts functions and actors on them, as the root does") {
  at_work both{{"child"}};
  both.ends(1);
  check_use(both, "", 1);
  CHECK(both.printed("kitchen│ line 1\nkitchen│ line 2\nkitchen│ line 3\n"
                     "printed 3\n"));
  CHECK(both.printed("died process_died [get the result of process process-"));
  CHECK(both.lead.output().find(" on machine kitchen (") != std::string::npos);
}

TEST_CASE("tasks of a pool start functions on machines") {
  at_work both{{"pool"}};
  both.ends(1);
  CHECK(both.printed("sum 91\n"));
}

TEST_CASE(
  "an actor starts a function on a machine while it handles a message") {
  at_work both{{"actor"}};
  both.ends(1);
  CHECK(both.printed("of an actor 81\n"));
}

TEST_CASE("a process of a machine uses other machines, and its own, by way of "
          "the lead") {
  at_work all{{"machine"}, 2};
  all.ends(2);
  check_use(all, "kitchen│ ", 2);
  CHECK(all.printed("on the other 1\n"));
  CHECK(all.printed("on its own 1\n"));
}

TEST_CASE("a process waits for machines that join, or until its limit") {
  at_work all{{"join"}};
  REQUIRE(all.lead.wait_for("waits"));
  all.join();
  all.ends(2);
  CHECK(all.printed("joined 2\n"));
  CHECK(all.printed("by name 2\n"));
  CHECK(all.printed("in vain timed_out ["));
}

TEST_CASE("a machine is lost: calls on their way of other processes than the "
          "root fail at once, and later ones") {
  at_work both{{"loss"}};
  REQUIRE(both.lead.wait_for("about to be lost"));
  both.all.front()->signal(SIGKILL);
  REQUIRE(both.lead.wait_for("there 0"));
  both.ends(0);
  CHECK(both.printed("before 2\n"));
  CHECK(both.printed("lost machine_lost ["));
  CHECK(
    both.printed("later machine_lost [start a process on machine kitchen: "));
  CHECK(
    both.printed("no actor machine_lost [make an actor on machine kitchen: "));
}

TEST_CASE("a process is killed whose calls run on a machine: they are killed, "
          "and nothing is left of them") {
  at_work both{{"asker"}};
  both.ends(1);
  CHECK(both.printed("run 1\n"));
  CHECK(both.printed("gone 1\n"));
  CHECK(both.printed("asker process_died ["));
  CHECK(both.printed("goes on 9\n"));
}

TEST_CASE("the same of a process on a machine whose calls run on another one, "
          "and of its whole machine") {
  at_work all{{"asker_there"}, 2};
  CHECK(exited_with(all.lead.wait(), 0));
  CHECK(exited_with(all.all.at(1)->wait(), 0));
  CHECK(leaves_nothing(all.all.at(0)->run()));
  CHECK(leaves_nothing(all.all.at(1)->run()));
  CHECK(all.printed("gone 1\n"));
  CHECK(all.printed("asker machine_lost ["));
  CHECK(all.printed("gone with its machine 1\n"));
  CHECK(all.printed("goes on 9\n"));
}

TEST_CASE(
  "handles of actors are arguments and results of functions on machines, "
  "also of other processes, and come home as what they were") {
  at_work both{{"handles"}};
  both.ends(1);
  // 2 + 21 + 1 + 100 + 1000
  CHECK(both.printed("arguments 1124\n"));
  CHECK(both.printed("back 1\n"));
  CHECK(both.printed("typed back 1\n"));
  CHECK(both.printed("found there 1\n"));
  CHECK(both.printed("answers 7\n"));
  CHECK(both.printed("of a child 1041\n"));
  CHECK(both.printed("back at a child 1\n"));
  CHECK(both.printed("last 3\n"));
  CHECK(both.printed("down caf::exit_reason::unreachable"));
}

TEST_CASE("a program that leads no machines and is none has none in any of its "
          "processes") {
  launched alone{{beside_this_program("asking_role"), "alone"}};
  CHECK(exited_with(alone.wait(), 0));
  const auto& text = alone.output();
  CHECK(
    text.find("list invalid_state [list the machines: this program leads no "
              "machines, and is none")
    != std::string::npos);
  CHECK(text.find("wait invalid_state [") != std::string::npos);
}
