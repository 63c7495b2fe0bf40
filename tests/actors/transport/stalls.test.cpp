// SPDX-License-Identifier: BSL-1.0
// Actors that stand still are found, and others are not said to.
#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/sanitized.hpp>
#include <support/stall_stage.hpp>

#include <csignal>

namespace {

/// A program of stall_actor_roles.cpp, looked at from outside.
class stage : public troupe::test::stall_stage {
public:
  explicit stage(const char* scene) : stall_stage("stall_actor_role", scene) {
  }
};

} // namespace

TEST_CASE("actors whose handlers wait for each other's items are found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"two_clerks"};
  CHECK(scene.is_found({"these wait for each other:\n  actor ",
                        "(clerk) of left (pid ", "(clerk) of right (pid ",
                        "waits for an item of queue "}));
}

TEST_CASE("an actor that waits for who waits for its answer is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"asks_who_waits_for_it"};
  CHECK(scene.is_found({"these wait for each other:", "(clerk) of desk (pid ",
                        "waits for an item of queue ", "which root (pid ",
                        "the actors of root (pid "}));
}

TEST_CASE("actors that take two locks crosswise are found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"two_lockers"};
  CHECK(scene.is_found({"these wait for each other:\n  actor ",
                        "(locker) of left (pid ", "(locker) of right (pid ",
                        "waits for mutex "}));
}

TEST_CASE("an actor that waits for a future that waits for the actor is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"waits_for_a_future"};
  CHECK(
    scene.is_found({"these wait for each other:", "(customer) of shop (pid ",
                    "waits for the end of ", "waits for event "}));
}

TEST_CASE("a blocking actor that nobody tells anything is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"nobody_tells_the_listener"};
  CHECK(scene.is_found({"root (pid ", "waits for event ", "which hall (pid "}));
}

TEST_CASE("who waits for a lock of an actor that waits for it is found"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"locks_what_an_actor_owns"};
  CHECK(scene.is_found({"these wait for each other:", "root (pid ",
                        "waits for mutex ", "which an actor of left (pid ",
                        "(acquirer) of left (pid ", "waits for an item of "}));
}

TEST_CASE("a run says itself that its actors stand still"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  troupe::test::launched program{
    {troupe::test::beside_this_program("stall_actor_role"),
     "two_clerks_watched"}};
  REQUIRE(program.wait_for("troupe: these wait for each other:"));
  REQUIRE(program.wait_for("(clerk) of left (pid "));
  REQUIRE(program.wait_for("(clerk) of right (pid "));
  program.signal(SIGKILL);
  program.wait();
}

TEST_CASE("actors that have nothing to do are no alarm") {
  const stage scene{"idle_actors"};
  CHECK(scene.is_left_alone(0));
}

TEST_CASE("an actor that sleeps in its handler is no alarm") {
  const stage scene{"waits_for_sleeper"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("an actor that has a timer is no alarm") {
  const stage scene{"waits_for_alarm_clock"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("an actor that releases a lock later is no alarm") {
  const stage scene{"waits_for_borrower"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("an actor that waits for a lock for a while is no alarm") {
  const stage scene{"waits_for_applicant"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("who waits for an answer for a while is no alarm") {
  const stage scene{"asks_in_time"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("actors that a process which is awake may send to are no alarm") {
  const stage scene{"somebody_is_awake"};
  CHECK(scene.is_left_alone(1));
}

TEST_CASE("actors that wait for each other's next message are no alarm") {
  const stage scene{"game"};
  for (int turn = 0; turn < 4; ++turn)
    CHECK(scene.is_left_alone(1));
}

TEST_CASE("threads that wake each other by a condition are no alarm") {
  const stage scene{"threads_take_turns"};
  for (int turn = 0; turn < 4; ++turn)
    CHECK(scene.is_left_alone(1));
}
