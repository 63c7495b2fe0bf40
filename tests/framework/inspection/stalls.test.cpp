// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/sanitized.hpp>
#include <support/stall_stage.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

namespace {

/// A program of stall_roles.cpp, looked at from outside.
class stage : public troupe::test::stall_stage {
public:
  explicit stage(const char* scene) : stall_stage("stall_role", scene) {
  }
};

} // namespace

TEST_CASE("two locks taken crosswise are found, and named as a cycle"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"two_locks"};
  CHECK(scene.is_found({"these wait for each other:", "accounts (pid ",
                        "waits for mutex", ", which audit (pid ",
                        "behind them: root (pid ", "the end of accounts"}));
}

TEST_CASE("so are three") {
  const stage scene{"three_locks"};
  CHECK(scene.is_found({"these wait for each other:", ", which one (pid ",
                        ", which two (pid ", ", which three (pid "}));
}

TEST_CASE("a reader whose only writer joins it is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"joins_its_reader"};
  CHECK(
    scene.is_found({"these wait for each other:", "waits for an item of queue",
                    "which root (pid ", "waits for the end of reader"}));
}

TEST_CASE("a writer of a full queue whose only reader joins it is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"joins_its_writer"};
  CHECK(scene.is_found({"these wait for each other:", "waits for room in queue",
                        "waits for the end of writer"}));
}

TEST_CASE("a barrier that lacks a party is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"barrier_one_short"};
  CHECK(scene.is_found({"waits for the others at barrier", "one (pid ",
                        "two (pid ", "waits for the end of one"}));
}

TEST_CASE("a pool whose only worker waits for its next task is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"pool_waits_for_itself"};
  CHECK(scene.is_found({"these wait for each other:", "waits for event",
                        "waits for a result of its pool"}));
}

TEST_CASE("a semaphore without units, a condition without notices are found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  {
    const stage scene{"no_unit_left"};
    CHECK(scene.is_found({"waits for a unit of semaphore"}));
  }
  const stage scene{"nobody_notifies"};
  CHECK(scene.is_found({"waits for a notification of condition"}));
}

TEST_CASE("two ends of a pipe that both listen are found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"pipe_both_listen"};
  CHECK(scene.is_found({"these wait for each other:", "other (pid ",
                        "waits for an item of queue"}));
}

TEST_CASE("items that nobody will be done with are found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"items_never_done"};
  CHECK(scene.is_found({"nobody can end this wait: root (pid ", "to be done",
                        "of which no other process has a handle"}));
}

TEST_CASE("a state that waits for its own client is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"state_waits_for_its_client"};
  CHECK(scene.is_found(
    {"these wait for each other:", "waits for an answer of the state desk",
     "waits for event"}));
}

TEST_CASE("a program says itself that it stands still, once"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  troupe::test::launched program{
    {troupe::test::beside_this_program("stall_role"), "two_locks_reported"}};
  REQUIRE(program.wait_for("troupe: behind them: root (pid "));
  CHECK(troupe::test::count(program.output(), "these wait for each other:")
        == 1);
  CHECK(troupe::test::count(program.output(), "troupe:   accounts (pid ") == 1);
  CHECK(
    troupe::test::count(program.output(), "nobody can go on who could end it")
    == 1);
  program.signal(SIGKILL);
  program.wait();
}

TEST_CASE("a run says itself that it stands still where that was asked for"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  troupe::test::launched program{
    {troupe::test::beside_this_program("stall_role"), "two_locks_watched"}};
  REQUIRE(program.wait_for("troupe: behind them: root (pid "));
  CHECK(troupe::test::count(program.output(), "these wait for each other:")
        == 1);
  CHECK(troupe::test::count(program.output(), "troupe:   audit (pid ") == 1);
  program.signal(SIGKILL);
  program.wait();
}

TEST_CASE(
  "a run that goes on says nothing where that was asked for, and ends") {
  troupe::test::launched program{
    {troupe::test::beside_this_program("stall_role"), "slow_holder_watched"}};
  CHECK(program.wait() == 0);
  CHECK(program.output() == "begins\nends\n");
}

TEST_CASE("a program that does not ask for it has none of it") {
  // The name of a class of its own, which stands in the file of whoever has it.
  const auto has_reporter = [](const char* program) {
    std::ifstream file{troupe::test::beside_this_program(program),
                       std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE_FALSE(bytes.empty());
    return bytes.find("watch_of_run") != bytes.npos;
  };
  CHECK(has_reporter("stall_role"));
  CHECK_FALSE(has_reporter("work_role"));
}

TEST_CASE("a program in which something goes on says nothing, and ends") {
  troupe::test::launched program{
    {troupe::test::beside_this_program("stall_role"), "slow_holder_reported"}};
  CHECK(program.wait() == 0);
  CHECK(program.output() == "begins\nends\n");
}

TEST_CASE("who has a deadline is no alarm") {
  const stage scene{"deadline_ahead"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("who waits for a slow holder is no alarm") {
  const stage scene{"slow_holder"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("who waits for a stopped holder is no alarm") {
  const stage scene{"stopped_holder"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("another holder that works is no alarm") {
  const stage scene{"another_holder"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("a handle on its way in a message is no alarm") {
  const stage scene{"handle_on_its_way"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("a thread that is in no call of Troupe's is no alarm") {
  const stage scene{"another_thread"};
  CHECK(scene.is_left_alone(2));
}

TEST_CASE("a program in which everybody waits most of the time is no alarm") {
  const stage scene{"traffic"};
  for (int turn = 0; turn < 4; ++turn)
    CHECK(scene.is_left_alone(3));
}

TEST_CASE("an idle state is no alarm") {
  const stage scene{"state_is_idle"};
  CHECK(scene.is_left_alone(1));
}
