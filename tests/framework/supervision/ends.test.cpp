// SPDX-License-Identifier: BSL-1.0

// Ends, each with its process and within its time. No process, and no real
// time.

#include "script.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <iterator>
#include <random>
#include <string>

using namespace std::chrono_literals;
using troupe::shutdown;
using troupe::strategy;
using namespace troupe::test;

TEST_CASE("all end in reverse order, each with its process before the next") {
  script of;
  of.process = child_process::own;
  of.run({"a", "b"});
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"end b", "gone b", "end a", "gone a"});
  CHECK_FALSE(of.core.awaits());
}

TEST_CASE("one that does not end is killed at its time, and then waited for") {
  script of;
  of.process = child_process::own;
  of.add("a");
  of.add({.id = "b", .shutdown = shutdown::within(2s)});
  of.settle();
  of.words();
  of.deaf = {"b"};
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"end b"});
  of.pass(2s - 1ns);
  CHECK(of.words().empty());
  of.pass(1ns);
  CHECK(of.words() == words{"kill b", "gone b", "end a", "gone a"});
}

TEST_CASE("a process that does not follow is killed in what is left of the "
          "time") {
  script of;
  of.process = child_process::own;
  of.add({.id = "a", .shutdown = shutdown::within(3s)});
  of.settle();
  of.words();
  of.lingering = {"a"};
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"end a"});
  REQUIRE(of.core.awaits());
  CHECK(of.core.awaits()->what == awaited::kind::process);
  CHECK(of.core.awaits()->until == troupe::deadline::at(of.now + 3s));
  of.pass(3s);
  CHECK(of.words() == words{"kill a", "gone a"});
}

TEST_CASE("for ever is for the child; its process has half a minute") {
  script of;
  of.process = child_process::own;
  of.add({.id = "a", .shutdown = shutdown::infinity()});
  of.settle();
  of.words();
  of.deaf = {"a"};
  of.lingering = {"a"};
  of.core.end_all();
  of.settle();
  of.pass(1000h);
  CHECK(of.words() == words{"end a"});
  of.deaf.clear();
  of.settle();
  of.pass(30s - 1ns);
  CHECK(of.words().empty());
  of.pass(1ns);
  CHECK(of.words() == words{"kill a", "gone a"});
}

TEST_CASE("a child whose shutdown is kill is not told to end") {
  script of;
  of.process = child_process::shared;
  of.add({.id = "a", .shutdown = shutdown::kill()});
  of.settle();
  of.words();
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"kill a", "gone a"});
}

TEST_CASE("a shared process is waited for only if it was killed") {
  script of;
  of.process = child_process::shared;
  of.run({"a"});
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"end a"});
}

TEST_CASE("what cannot be killed is left after half a minute, and its process "
          "after another") {
  script of;
  of.process = child_process::own;
  of.add("a");
  of.add({.id = "b", .shutdown = shutdown::kill()});
  of.settle();
  of.words();
  of.immortal = {"b"};
  of.core.end_all();
  of.settle();
  CHECK(of.words() == words{"kill b"});
  of.pass(30s);
  CHECK(of.words().empty());
  of.pass(30s);
  CHECK(of.words() == words{"end a", "gone a"});
}

TEST_CASE("deaths of others are kept while one is ended") {
  script of{{.limits = {.most = 10}}};
  of.run({"a", "b"});
  of.deaf = {"b"};
  of.core.terminate("b");
  of.settle();
  of.die("a");
  of.settle();
  CHECK(of.words() == words{"end b"});
  CHECK(of.phase("a") == child_phase::dead);
  of.deaf.clear();
  of.settle_all();
  CHECK(of.words() == words{"report a", "start a"});
}

TEST_CASE("who has died already is not told to end, and not restarted twice") {
  script of{{.strategy = strategy::one_for_all, .limits = {.most = 10}}};
  of.process = child_process::own;
  of.run({"a", "b"});
  of.die("a");
  of.die("b");
  of.settle_all();
  // Only one of the two deaths counts.
  CHECK(of.words() == words{"report a", "gone b", "start a", "start b"});
}

TEST_CASE("a death that was dealt with says nothing about the next one") {
  script of{{.strategy = strategy::one_for_all, .limits = {.most = 10}}};
  of.run({"a", "b"});
  of.die("a");
  of.die("b", {.reason = "the first time"});
  REQUIRE(of.core.judge_next(of.now));
  of.settle();
  of.die("b", {.reason = "the second time"});
  of.settle_all();
  REQUIRE(of.reports.size() == 2);
  CHECK(of.reports.back().reason == "the second time");
}

TEST_CASE("nobody waits for the process of one that ended by itself, and it "
          "is killed at its time") {
  script of{{.limits = {.most = 10}}};
  of.process = child_process::own;
  of.add({.id = "a", .shutdown = shutdown::within(4s)});
  of.settle();
  of.lingering = {"a"};
  of.die("a");
  of.settle_all();
  CHECK(of.words() == words{"start a", "report a", "start a"});
  CHECK(of.core.is_leftover(1));
  CHECK(of.core.next_time() == troupe::deadline::at(of.now + 4s));
  of.pass(4s);
  CHECK(of.words() == words{"kill leftover a"});
  CHECK_FALSE(of.core.is_leftover(1));
}

TEST_CASE("one that is gone in time is killed by nobody") {
  script of{{.limits = {.most = 10}}};
  of.process = child_process::own;
  of.run({"a"});
  of.die("a");
  of.settle_all();
  of.words();
  of.core.process_gone(1);
  of.pass(1h);
  CHECK(of.words().empty());
}

TEST_CASE("the end of all waits for such processes, and kills them at their "
          "time") {
  script of{{.limits = {.most = 10}}};
  of.process = child_process::own;
  of.run({"a"});
  of.lingering = {"a"};
  of.die("a", {.notice = end_notice::last});
  of.settle_all();
  CHECK(of.words() == words{"give up a"});
  of.core.end_all();
  of.settle();
  REQUIRE(of.core.awaits());
  CHECK(of.core.awaits()->start == 1);
  of.pass(5s);
  CHECK(of.words() == words{"kill leftover a", "gone a"});
  CHECK_FALSE(of.core.awaits());
}

TEST_CASE("the end of all calls off what was begun") {
  script of{{.limits = {.most = 10}}};
  of.run({"a", "b"});
  of.failing = {"a"};
  of.die("a");
  of.settle();
  REQUIRE(of.core.judge_next(of.now));
  of.settle();
  of.words();
  of.core.end_all();
  of.settle_all();
  CHECK(of.words() == words{"end b"});
  CHECK_FALSE(of.core.has_work());
}

TEST_CASE("all at once are told at the same time, and again if it is said "
          "again") {
  script of;
  of.run({"a", "b"});
  of.core.end_all_at_once(shutdown::infinity(), of.now);
  of.settle();
  CHECK(of.words() == words{"end a", "end b"});
  of.die("a");
  of.core.end_all_at_once(shutdown::infinity(), of.now);
  of.settle();
  CHECK(of.words() == words{"end b"});
  of.core.end_all_at_once(shutdown::kill(), of.now);
  of.settle();
  CHECK(of.words() == words{"kill b"});
  of.die("b");
  of.settle_all();
  CHECK(of.words().empty());
  CHECK(of.phase("b") == child_phase::ended);
  CHECK_FALSE(of.core.has_work());
}

TEST_CASE("whatever has happened, the end of all ends all, in bounded time") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random{seed};
    const auto any = [&](std::size_t of) { return random() % of; };
    script of{{.strategy = static_cast<strategy>(any(3)),
               .limits = {.most = 5, .period = 10s},
               .first_pause = any(2) == 0 ? 0ms : 20ms,
               .longest_pause = 1s}};
    of.process = static_cast<child_process>(any(3));
    const char* const names[] = {"a", "b", "c", "d"};
    for (const char* each : names)
      of.add({.id = each,
              .restart = static_cast<troupe::restart>(any(3)),
              .shutdown = any(2) == 0 ? shutdown::kill() : shutdown::within(2s),
              .start_limit = 3s});
    for (int steps = 0; steps < 40; ++steps) {
      const std::string id = names[any(std::size(names))];
      auto& moods = *std::vector{&of.failing, &of.hanging,  &of.in_vain,
                                 &of.deaf,    &of.immortal, &of.lingering}
                       .at(any(6));
      switch (any(6)) {
        case 0: moods.push_back(id); break;
        case 1: moods.clear(); break;
        case 2: of.pass(1s); break;
        default: of.die(id);
      }
      // Requests are looked at when nothing is on the way.
      if (any(4) == 0 && !of.core.awaits())
        try {
          any(2) == 0 ? of.core.terminate(id) : of.core.start_again(id);
        } catch (const troupe::error&) {
          // There is no such child any more, or it runs.
        }
      any(2) == 0 ? of.settle() : of.settle_all();
    }
    of.core.end_all();
    of.settle();
    // Four children and their leftovers, each of them given up in the end.
    for (int waits = 0; waits < 200 && of.core.awaits(); ++waits)
      of.pass(30s);
    CHECK_FALSE(of.core.awaits());
    for (const auto& each : of.core.children())
      CHECK(each.phase == child_phase::ended);
    CHECK_FALSE(of.core.has_work());
  }
}

TEST_CASE("one that nobody needs any more stays ended") {
  script of;
  of.run({"a"});
  of.core.stays_ended(of.numbers.at("a"), of.now);
  of.settle_all();
  CHECK(of.words().empty());
  CHECK(of.phase("a") == child_phase::ended);
}

TEST_CASE("an end that is told late of one that ended concerns nobody") {
  script of;
  of.run({"a"});
  of.core.terminate("a");
  of.settle();
  of.words();
  of.die("a");
  of.settle_all();
  CHECK(of.words().empty());
  CHECK(of.reports.empty());
}
