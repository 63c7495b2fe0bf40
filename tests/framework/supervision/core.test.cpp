// SPDX-License-Identifier: BSL-1.0

// Starts, restarts, and when it is too much. No process, and no real time.

#include "script.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using troupe::restart;
using troupe::strategy;
using namespace troupe::test;

TEST_CASE("children are started in the order in which they were added") {
  script of;
  of.add("a");
  of.add("b");
  of.settle();
  CHECK(of.words() == words{"start a", "start b"});
  CHECK(of.phase("a") == child_phase::running);
}

TEST_CASE("one is started when the one before runs") {
  script of;
  of.hanging = {"a"};
  of.add({.id = "a", .start_limit = 10s});
  of.add("b");
  of.settle();
  CHECK(of.words() == words{"start a"});
  of.core.started(of.numbers.at("a"), child_process::none);
  of.settle();
  CHECK(of.words() == words{"start b"});
}

TEST_CASE("a first start that fails is not tried again, nor are those behind") {
  script of;
  of.failing = {"b"};
  for (const char* id : {"a", "b", "c"})
    of.add(id);
  of.settle_all();
  CHECK(of.words() == words{"start a", "start b"});
  CHECK(of.phase("b") == child_phase::ended);
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"end a"});
}

TEST_CASE("each strategy restarts whom it says, ended in reverse order first") {
  const auto restarted = [](strategy how) {
    script of{{.strategy = how}};
    of.run({"a", "b", "c"});
    of.die("b");
    of.settle_all();
    return of.words();
  };
  CHECK(restarted(strategy::one_for_one) == words{"report b", "start b"});
  CHECK(restarted(strategy::rest_for_one)
        == words{"report b", "end c", "start b", "start c"});
  CHECK(
    restarted(strategy::one_for_all)
    == words{"report b", "end c", "end a", "start a", "start b", "start c"});
}

TEST_CASE("permanent, transient and temporary are Erlang's") {
  for (const bool in_order : {true, false}) {
    script of{{.limits = {.most = 10}}};
    of.add({.id = "p", .restart = restart::permanent});
    of.add({.id = "t", .restart = restart::transient});
    of.add({.id = "x", .restart = restart::temporary});
    of.settle();
    of.words();
    for (const char* id : {"p", "t", "x"})
      of.die(id,
             {.cause = in_order ? end_cause::by_itself : end_cause::crashed});
    of.settle_all();
    if (in_order)
      CHECK(of.words() == words{"report p", "start p", "forget x"});
    else
      CHECK(of.words()
            == words{"report p", "start p", "report t", "start t", "forget x"});
    CHECK(of.core.children().size() == 2);
    CHECK_THROWS_AS(static_cast<void>(of.core.find("x")), troupe::unknown_name);
  }
}

TEST_CASE("a temporary child that is ended with others is forgotten") {
  script of{{.strategy = strategy::one_for_all}};
  of.add("a");
  of.add({.id = "x", .restart = restart::temporary});
  of.settle();
  of.words();
  of.die("a");
  of.settle_all();
  CHECK(of.words() == words{"report a", "end x", "forget x", "start a"});
}

TEST_CASE("a report says who, why and the how-manieth restart it is") {
  script of{{.limits = {.most = 2, .period = 5s}}};
  of.run({"a"});
  for (int i = 0; i < 3; ++i) {
    of.die("a", {.pid = 40 + i, .reason = "exit code 3"});
    of.settle_all();
  }
  CHECK(of.words()
        == words{"report a", "start a", "report a", "start a", "report a",
                 "give up a"});
  REQUIRE(of.reports.size() == 3);
  CHECK(of.reports[1].pid == 41);
  CHECK(of.reports[1].reason == "exit code 3");
  CHECK(of.reports[1].restarts == 2);
  CHECK_FALSE(of.reports[1].given_up);
  CHECK(of.reports[2].restarts == 3);
  CHECK(of.reports[2].given_up);
}

TEST_CASE("restarts that are far enough apart never end it") {
  script of{{.limits = {.most = 1, .period = 5s}}};
  of.run({"a"});
  for (int i = 0; i < 20; ++i) {
    of.pass(6s);
    of.die("a");
    of.settle_all();
    CHECK(of.words() == words{"report a", "start a"});
  }
}

TEST_CASE("who has given up starts nobody any more") {
  script of{{.limits = {.most = 0}}};
  of.run({"a", "b"});
  of.die("a");
  of.die("b");
  of.settle_all();
  CHECK(of.words() == words{"report a", "give up a"});
  CHECK_FALSE(of.core.has_work());
}

TEST_CASE("the last end of a run is no restart") {
  script of;
  of.run({"a"});
  of.die("a", {.notice = end_notice::last});
  of.settle_all();
  CHECK(of.words() == words{"give up a"});
  CHECK(of.phase("a") == child_phase::ended);
}

TEST_CASE("a restart that fails is another end, tried again when asked to") {
  script of{{.strategy = strategy::rest_for_one, .limits = {.most = 10}}};
  of.run({"a", "b", "c"});
  of.failing = {"b"};
  of.die("a");
  of.settle();
  REQUIRE(of.core.judge_next(of.now));
  of.settle();
  CHECK(of.words()
        == words{"report a", "end c", "end b", "start a", "start b"});
  CHECK(of.core.has_failed_start());
  CHECK(of.phase("b") == child_phase::failed);
  REQUIRE(of.core.retry_next(of.now));
  of.settle();
  // From the child that failed.
  CHECK(of.words() == words{"report b", "start b"});
  CHECK(of.reports.back().pid == 0);
  CHECK(of.reports.back().reason == "no start today");
  of.failing.clear();
  of.settle_all();
  CHECK(of.words() == words{"report b", "start b", "start c"});
  CHECK(of.core.find("c").restarts == 1);
}

TEST_CASE("restarts that always fail end it, by its intensity") {
  script of{{.limits = {.most = 3}}};
  of.run({"a"});
  of.failing = {"a"};
  of.die("a");
  of.settle_all();
  CHECK(of.reports.size() == 4);
  CHECK(of.reports.back().given_up);
}

TEST_CASE("a retry can be called off") {
  script of{{.limits = {.most = 10}}};
  of.run({"a"});
  of.failing = {"a"};
  of.die("a");
  of.settle();
  REQUIRE(of.core.judge_next(of.now));
  of.settle();
  of.words();
  of.core.terminate("a");
  of.settle_all();
  CHECK(of.words().empty());
  CHECK(of.phase("a") == child_phase::ended);
}

TEST_CASE("with a pause a failed start is tried again later and later") {
  script of{{.limits = {.most = 100, .in_a_row = true},
             .first_pause = 20ms,
             .longest_pause = 50ms}};
  of.run({"a", "b"});
  of.failing = {"a"};
  of.die("a");
  of.settle_all();
  CHECK(of.words() == words{"report a", "start a", "report a"});
  CHECK(of.core.next_time() == troupe::deadline::at(of.now + 20ms));
  for (const auto pause : {20ms, 40ms, 50ms, 50ms}) {
    of.pass(pause - 1ns);
    of.settle_all();
    CHECK(of.words().empty());
    of.pass(1ns);
    of.settle_all();
    CHECK(of.words() == words{"start a", "report a"});
  }
  // Meanwhile others are restarted at once.
  of.die("b");
  of.settle_all();
  CHECK(of.words() == words{"report b", "start b"});
  // Work begins the pauses anew.
  of.failing.clear();
  of.pass(50ms);
  of.settle_all();
  of.core.worked(of.numbers.at("a"));
  of.failing = {"a"};
  of.die("a");
  of.settle_all();
  CHECK(of.core.next_time() == troupe::deadline::at(of.now + 20ms));
}

TEST_CASE("an end that is part of the work is neither told nor counted") {
  script of{{.limits = {.most = 0}}};
  of.run({"a"});
  for (int i = 0; i < 5; ++i)
    of.die("a", {.notice = end_notice::none}), of.settle_all();
  CHECK(of.reports.empty());
  CHECK(of.core.find("a").restarts == 5);
  of.die("a", {.notice = end_notice::reported});
  of.settle_all();
  REQUIRE(of.reports.size() == 1);
  CHECK_FALSE(of.reports[0].given_up);
}

TEST_CASE("a start that hangs is given up at its limit, and left in the end") {
  script of;
  of.hanging = {"a"};
  of.add({.id = "a", .start_limit = 10s});
  of.settle();
  of.pass(9s);
  CHECK(of.words() == words{"start a"});
  of.pass(1s);
  CHECK(of.words() == words{"give up start a"});
  of.pass(29s);
  CHECK(of.words().empty());
  of.pass(1s);
  CHECK(of.words() == words{"abandon start a"});
  CHECK(of.phase("a") == child_phase::ended);
}

TEST_CASE("a start without a limit is given up when it is asked for, once") {
  script of;
  of.hanging = {"a"};
  of.add("a");
  of.settle();
  of.pass(1000h);
  CHECK(of.words() == words{"start a"});
  of.core.give_up_start(of.now);
  of.core.give_up_start(of.now);
  of.settle();
  CHECK(of.words() == words{"give up start a"});
}

TEST_CASE("what was started in vain is ended, and its start has failed") {
  script of{{.limits = {.most = 10}}};
  of.add({.id = "a", .restart = restart::temporary});
  of.run({"b"});
  of.in_vain = {"c"};
  of.add("c");
  of.settle_all();
  CHECK(of.words() == words{"start c", "end c"});
  CHECK(of.phase("c") == child_phase::ended);
  of.in_vain = {"b"};
  of.die("b");
  of.settle();
  REQUIRE(of.core.judge_next(of.now));
  of.settle();
  CHECK(of.words() == words{"report b", "start b", "end b"});
  CHECK(of.phase("b") == child_phase::failed);
}

TEST_CASE("what cannot be asked for is refused by its name") {
  script of;
  of.run({"a"});
  CHECK_THROWS_WITH_AS(of.add("a"), "add 'a': there is a child of that name",
                       troupe::invalid_argument);
  CHECK_THROWS_AS(of.core.start_again("a"), troupe::invalid_state);
  CHECK_THROWS_AS(of.core.remove("a"), troupe::invalid_state);
  CHECK_THROWS_AS(of.core.terminate("b"), troupe::unknown_name);
  CHECK_THROWS_AS(of.add({.id = "n", .start_limit = 0ns}),
                  troupe::invalid_argument);
  of.core.terminate("a");
  of.settle();
  of.core.start_again("a");
  of.settle();
  CHECK(of.words() == words{"end a", "start a"});
  // By request: not counted as a restart.
  CHECK(of.core.find("a").restarts == 0);
}

TEST_CASE("children are counted as Erlang counts") {
  script of;
  of.add({.id = "a", .supervises = true});
  of.run({"b", "c"});
  of.core.terminate("c");
  of.settle();
  const auto counted = of.core.count();
  CHECK(counted.specs == 3);
  CHECK(counted.active == 2);
  CHECK(counted.supervisors == 1);
  CHECK(counted.workers == 2);
}

TEST_CASE("a number means its child though others were forgotten") {
  script of;
  of.run({"a", "b", "c"});
  of.core.terminate("a");
  of.settle();
  of.core.remove("a");
  of.die("c");
  of.settle_all();
  CHECK(of.words() == words{"end a", "report c", "start c"});
  CHECK(of.core.find("c").restarts == 1);
  of.add("d");
  CHECK(of.numbers.at("d") == 3);
}
