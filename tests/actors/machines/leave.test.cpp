// SPDX-License-Identifier: BSL-1.0

// A machine that is asked to end.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/stopped.hpp>

#include <chrono>
#include <cstdint>
#include <thread>

#include <unistd.h>

using namespace troupe::test;

TEST_CASE(
  "SIGTERM asks a machine to leave: it begins nothing new, finishes, and "
  "goes") {
  leading lead{{"nap", "1"}};
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("kitchen│ began"));
  kitchen.signal(SIGTERM);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(exited_with(lead.wait(), 0));
  const auto& text = lead.output();
  CHECK(text.find("result 7 after") != std::string::npos);
  // Whether it has left by then or is about to.
  CHECK((text.find("cancelled [start a process on machine kitchen")
           != std::string::npos
         || text.find("machine_lost [start a process on machine kitchen: it is "
                      "not there any more: it was asked to end")
              != std::string::npos));
  CHECK(text.find("is lost") == std::string::npos);
  CHECK(kitchen.output().find("kitchen finishes what it has begun, and leaves "
                              + lead.where())
        != std::string::npos);
  CHECK(leaves_nothing(kitchen.run()));
}

TEST_CASE("leaving is no death: it is told as leaving, then as left") {
  leading lead{{"watch"}};
  REQUIRE(lead.wait_for("watching"));
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("event kitchen joined"));
  kitchen.signal(SIGINT);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(exited_with(lead.wait(), 0));
  const auto leaving = lead.output().find("event kitchen leaving");
  const auto left = lead.output().find("event kitchen left there=0");
  CHECK(leaving != std::string::npos);
  CHECK(left != std::string::npos);
  CHECK(leaving < left);
  CHECK(lead.output().find("machine kitchen has left") != std::string::npos);
  CHECK(kitchen.output().find("kitchen has left " + lead.where())
        != std::string::npos);
}

TEST_CASE("Ctrl-C typed at a machine leaves its processes to finish") {
  leading lead{{"nap", "1"}};
  auto how = with_key();
  how.terminal = true;
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}, "machine_role", how};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("kitchen│ began"));
  kitchen.type("\x03");
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("result 7 after") != std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(leaves_nothing(kitchen.run()));
}

TEST_CASE(
  "a signal that comes when a process there has done nothing yet is not "
  "that process's end") {
  for (const std::string what : {"square", "spawned"})
    for (const bool typed : {true, false}) {
      CAPTURE(what);
      CAPTURE(typed);
      leading lead{{what, "6"}};
      auto how = with_key();
      how.terminal = true;
      how.environment.emplace_back("TROUPE_TEST_STOP_FORKED=1");
      joining kitchen{
        lead.where(), {"--troupe.name=kitchen"}, "machine_role", how};
      REQUIRE(kitchen.joins());
      std::int32_t child = 0;
      REQUIRE(lead.wait_until([&](const std::string& text) {
        child = forked(text, 1);
        return child != 0;
      }));
      if (typed)
        kitchen.type("\x03");
      else
        ::kill(-kitchen.pid(), SIGTERM);
      REQUIRE(kitchen.wait_for("kitchen finishes what it has begun"));
      go_on(child);
      CHECK(lead.wait_for("result 36 after"));
      CHECK(exited_with(kitchen.wait(), 0));
      CHECK(exited_with(lead.wait(), 0));
      CHECK(leaves_nothing(kitchen.run()));
    }
}

TEST_CASE("a second signal ends the machine at once") {
  leading lead{{"nap", "1000"}};
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("kitchen│ began"));
  kitchen.signal(SIGTERM);
  REQUIRE(kitchen.wait_for("finishes what it has begun"));
  // Time: two within 20 ms are one.
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  kitchen.signal(SIGTERM);
  const int status = kitchen.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  CHECK(lead.wait_for("machine_lost ["));
  CHECK(exited_with(lead.wait(), 0));
  CHECK(leaves_nothing(kitchen.run()));
}

TEST_CASE("before it has joined the first signal ends it") {
  joining lonely{"127.0.0.1:1"};
  // Until it is executed it has the memory of this test's run.
  const auto own = run_of(::getpid());
  std::uint64_t its = 0;
  REQUIRE(eventually([&] {
    its = run_of(lonely.pid());
    return its != 0 && its != own;
  }));
  lonely.signal(SIGTERM);
  const int status = lonely.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(leaves_nothing(its));
}
