// SPDX-License-Identifier: BSL-1.0
// What the command says of work: pools, queues, actors.
#include "stage.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <support/eventually.hpp>

#include <string>

using nlohmann::json;
using troupe::test::eventually;
using troupe::test::stage;

TEST_CASE("pools are shown with what each worker runs, and what waits") {
  const stage scene{{TROUPE_WORK_ROLE, "pool_at_work"}, "works"};
  const auto pools = scene.ask_until(
    {"pools"}, {"(bakery) of root (pid ", ": 9 tasks given, 4 done ",
                ", 5 open; 3 chunks wait for a worker; 2 processes started",
                "WORKER", "bakery-1", "bakery-2", "bake", " ms"});
  CHECK(pools.code == 0);
  const auto data = json::parse(scene.ask({"pools", "--json"}).text);
  REQUIRE(data["pools"].size() == 1);
  const auto& pool = data["pools"][0];
  CHECK(pool["submitted"] == 9);
  CHECK(pool["finished"] == 4);
  CHECK(pool["chunks_waiting"] == 3);
  REQUIRE(pool["workers"].size() == 2);
  std::uint64_t tasks = 0;
  for (const auto& worker : pool["workers"]) {
    CHECK(worker["does"] == "runs");
    CHECK(worker["function"].get<std::string>().find("bake")
          != std::string::npos);
    CHECK(worker["started_in_seconds"].get<double>() >= 0);
    tasks += worker["tasks"].get<std::uint64_t>();
  }
  CHECK(tasks == 4);
  // What it runs, it runs for longer and longer, and is busy with it.
  const auto first = pool["workers"][0]["since_seconds"].get<double>();
  const auto was_busy = pool["workers"][0]["busy_seconds"].get<double>();
  const auto again = json::parse(scene.ask({"pools", "--json"}).text);
  const auto& later = again["pools"][0]["workers"][0];
  CHECK(later["since_seconds"].get<double>() > first);
  CHECK(later["busy_seconds"].get<double>() > was_busy);
}

TEST_CASE("queues are shown with how fast items go in and out, and since when "
          "they are not empty") {
  const stage scene{{TROUPE_WORK_ROLE, "queues_in_use"}, "works"};
  CHECK(eventually([&] {
    const auto data = json::parse(scene.ask({"queues", "--json"}).text);
    REQUIRE(data["queues"].size() == 2);
    const auto& left = data["queues"][0];
    CHECK(left["depth"] == 3);
    CHECK(left["put"] == 13);
    CHECK(left["taken"] == 10);
    CHECK(left["in_per_second"] == 0);
    CHECK(left["not_empty_for_at_most_seconds"].get<double>() > 0);
    CHECK(left["last_taken_at_most_seconds_ago"].get<double>() > 0);
    const auto& steady = data["queues"][1];
    return steady["in_per_second"].get<double>() > 10
           && steady["out_per_second"].get<double>() > 10;
  }));
  const auto text = scene.ask({"queues"});
  CHECK(text.has({"IN/S", "OUT/S", "LAST TAKEN", "NOT EMPTY FOR", "at most "}));
}

#if defined(TROUPE_ACTORS_ROLE)
TEST_CASE("actors are shown with the handler that each process is in") {
  const stage scene{{TROUPE_ACTORS_ROLE}};
  const auto actors = scene.ask_until(
    {"actors"}, {"PROCESS", "sleeper (pid ", "(sleeping_cook)", "waiter (pid ",
                 "(waiting_cook)", "mutex ", "idle (pid "});
  CHECK(actors.code == 0);
  const auto data = json::parse(scene.ask({"actors", "--json"}).text);
  bool sleeps = false;
  bool waits = false;
  for (const auto& each : data["actors"]) {
    if (each["name"] == "idle")
      CHECK(each["handlers"].empty());
    for (const auto& handler : each["handlers"]) {
      CHECK(handler["since_seconds"].get<double>() > 0);
      sleeps = sleeps
               || (each["name"] == "sleeper"
                   && handler["type"] == "sleeping_cook");
      waits = waits
              || (each["name"] == "waiter" && handler.contains("waits_for"));
    }
  }
  CHECK(sleeps);
  CHECK(waits);
}
#endif

TEST_CASE("where there is nothing of the kind, that is said") {
  const stage scene{{TROUPE_STALL_ROLE, "slow_holder"}};
  CHECK(scene.ask({"pools"}).text == "the run has no pools\n");
  CHECK(scene.ask({"actors"}).text == "the run has no actors\n");
}
