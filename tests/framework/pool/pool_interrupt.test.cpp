// SPDX-License-Identifier: BSL-1.0

// Ctrl-C in programs with pools. Their grace is longer than
// this test may take: whatever ends here ends without it.

#include <troupe/pool/pool.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <string>

#include <sys/wait.h>

using troupe::test::count;
using troupe::test::ends_itself;
using troupe::test::in_terminal;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("pool_role");

/// Whether the program died of SIGINT and nothing of its run is left.
bool ends(launched& program, std::uint64_t run) {
  const int status = program.wait();
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGINT
         && troupe::test::eventually(
           [run] { return troupe::test::members_of(run).empty(); });
}

} // namespace

TEST_CASE("Ctrl-C ends a program in the middle of a map, at once and for "
          "certain") {
  for (const bool typed : {true, false}) {
    launched program{{role, "maps"},
                     typed ? in_terminal() : troupe::test::launch_options{}};
    REQUIRE(program.wait_for("ready"));
    const auto run = troupe::test::run_of(program.pid());
    // The root, its server, and two workers.
    CHECK(troupe::test::members_of(run).size() == 4);
    if (typed)
      program.type("\x03");
    else
      program.signal(SIGINT);
    CHECK(ends(program, run));
    // It did not listen, and is told nothing.
    CHECK(count(program.output(), "terminate called") == 0);
  }
}

TEST_CASE("a program that listens to Ctrl-C has the error of its map, and "
          "nobody begins another task") {
  launched program{{role, "listens"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  CHECK(ends_itself(program, run));
  CAPTURE(program.output());
  CHECK(count(program.output(), "asked: 1; begun: 2") == 1);
  CHECK(count(program.output(), "SIGINT has asked the run to end") == 2);
  CHECK(count(program.output(), "the map has ended") == 0);
  CHECK(count(program.output(), "main ends") == 1);
}

TEST_CASE("workers that listen finish their task, tidy up, and end") {
  launched program{{role, "polite"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  CHECK(ends_itself(program, run));
  CAPTURE(program.output());
  CHECK(count(program.output(), "done: 2; cancelled: 98") == 1);
  CHECK(count(program.output(), "a worker tidies up") == 2);
}

TEST_CASE("a second Ctrl-C kills workers that listen and do not end") {
  launched program{{role, "sleeps_on"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  // Two that come at once are one.
  REQUIRE(program.wait_for("told"));
  CHECK(troupe::test::members_of(run).size() == 4);
  program.type("\x03");
  CHECK(ends(program, run));
}
