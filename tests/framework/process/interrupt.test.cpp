// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/root_supervisor.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <sys/wait.h>

using troupe::test::in_terminal;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("process_role");

bool contains(const launched& program, const std::string& text) {
  return program.output().find(text) != std::string::npos;
}

bool gone(std::uint64_t run) {
  return troupe::test::eventually(
    [run] { return troupe::test::members_of(run).empty(); });
}

} // namespace

TEST_CASE("Ctrl-C ends every process, and the root dies of SIGINT") {
  launched program{{role, "joins"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  const int status = program.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(gone(run));
}

TEST_CASE("a SIGINT to the root alone reaches every process") {
  launched program{{role, "joins"}};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.signal(SIGINT);
  CHECK(WTERMSIG(program.wait()) == SIGINT);
  CHECK(gone(run));
}

TEST_CASE("processes that listen have time to tidy up") {
  for (const bool typed : {true, false}) {
    launched program{{role, "polite"},
                     typed ? in_terminal() : troupe::test::launch_options{}};
    REQUIRE(program.wait_for("ready"));
    if (typed)
      program.type("\x03");
    else
      program.signal(SIGINT);
    const int status = program.wait();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 3);
    CHECK(contains(program, "the child tidies up"));
    CHECK(contains(program, "child: exited with code 5"));
    CHECK(contains(program, "interrupted: 1"));
  }
}

TEST_CASE("a second Ctrl-C kills those that do not listen") {
  launched program{{role, "deaf"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  program.type("\x03");
  CHECK(WTERMSIG(program.wait()) == SIGINT);
  CHECK(gone(run));
}

TEST_CASE("after the grace those that do not listen are killed") {
  launched program{{role, "deaf"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  CHECK(WTERMSIG(program.wait()) == SIGINT);
  CHECK(gone(run));
}
