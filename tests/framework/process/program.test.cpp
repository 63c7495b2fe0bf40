// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/process_id.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/sanitized.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <sys/wait.h>

using troupe::test::beside_this_program;
using troupe::test::eventually;
using troupe::test::launched;

namespace {

const std::string role = beside_this_program("process_role");

bool contains(const launched& program, const std::string& text) {
  return program.output().find(text) != std::string::npos;
}

} // namespace

TEST_CASE("there is one program only") {
  CHECK_THROWS_AS(troupe::program(0, nullptr), troupe::invalid_state);
}

TEST_CASE("without a program nothing starts, and the error says what to do") {
  launched program{{role, "no_program"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "no run yet"));
  CHECK(contains(program, "troupe::program"));
}

TEST_CASE("the end of main ends daemons and waits for the others") {
  launched program{{role, "leaves"}};
  const int status = program.wait();
  CHECK(WEXITSTATUS(status) == 4);
  CHECK(contains(program, "the other has ended"));
  int daemon = 0;
  std::sscanf(program.output().c_str() + program.output().find("daemon ") + 7,
              "%d", &daemon);
  CHECK(daemon > 0);
  CHECK(::kill(daemon, 0) != 0);
}

TEST_CASE("exit in the root ends the run in order as well") {
  launched program{{role, "exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 6);
  CHECK(contains(program, "child"));
}

TEST_CASE("a thread that starts processes for ever does not delay the end") {
  launched program{{role, "starts_until_the_end"}};
  CHECK(WEXITSTATUS(program.wait()) == 9);
  CHECK(contains(program, "this process is ending"));
}

TEST_CASE(
  "a program that was started with SIGCHLD ignored joins its children") {
  launched program{{"/bin/sh", "-c", "trap '' CHLD; exec \"$0\" codes", role}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "first: exited with code 5"));
  CHECK(contains(program, "second: killed by SIGKILL"));
}

TEST_CASE("a process without a free descriptor still kills its children"
          * doctest::skip(!troupe::test::needs_no_descriptor)) {
  for (const auto* name : {"no_descriptors", "no_descriptors_at_end"}) {
    launched program{
      {"/bin/sh", "-c", "ulimit -n 64; exec \"$0\" \"$1\"", role, name}};
    const int status = program.wait();
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) != 8) {
      CHECK(contains(program, "killed: 1"));
      CHECK(contains(program, "child: killed by SIGKILL"));
    }
  }
}

TEST_CASE(
  "a child that has closed all descriptors is told that it cannot start") {
  launched program{{role, "closed_all"}};
  CHECK(program.wait() == 0);
  CHECK(!contains(program, "it started"));
  const std::string text = "ask the fork server for a process";
  const auto first = program.output().find(text);
  REQUIRE(first != std::string::npos);
  CHECK(program.output().find(text, first + 1) != std::string::npos);
}

TEST_CASE("children that closed their descriptors or executed a program die "
          "with a killed root") {
  launched program{{role, "loose"}};
  REQUIRE(program.wait_for("ready"));
  int first = 0;
  int second = 0;
  std::sscanf(program.output().c_str() + program.output().find("main goes on\n")
                + 13,
              "%d %d", &first, &second);
  REQUIRE(second > 0);
  CHECK(troupe::os::is_running({first, 0}));
  program.signal(SIGKILL);
  CHECK(eventually([&] {
    return !troupe::os::is_running({first, 0})
           && !troupe::os::is_running({second, 0});
  }));
}

TEST_CASE("children never run what follows in main") {
  for (const char* name : {"leaves", "lines", "exits"}) {
    launched program{{role, name}};
    program.wait();
    const auto first = program.output().find("main goes on");
    CHECK(first != std::string::npos);
    CHECK(program.output().find("main goes on", first + 1)
          == std::string::npos);
  }
}

TEST_CASE("a main that ends before its program is reached is told") {
  // The fork server ends at once each time: no fork bomb, and no hang.
  launched program{{role, "late_program"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "status: lost: the fork server cannot be started"));
  CHECK(contains(program, "first line of main"));
}

TEST_CASE("the limit of processes is a typed error, and nothing is lost") {
  launched program{{role, "limits"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "limit: start a process: the run has 63 processes"));
  CHECK(contains(program, "raise limits::processes"));
  CHECK(contains(program, "children: 63"));
  CHECK(contains(program, "again: 11"));
}

TEST_CASE("when the root is killed the whole run is gone") {
  launched program{{role, "tree"}};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  REQUIRE(run != 0);
  CHECK(troupe::test::members_of(run).size() == 11);
  program.signal(SIGKILL);
  CHECK(WTERMSIG(program.wait()) == SIGKILL);
  CHECK(eventually([&] { return troupe::test::members_of(run).empty(); }));
}

TEST_CASE("a copy that the user forked off the root keeps nothing alive") {
  launched program{{role, "forks_in_root"}};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  const auto members = troupe::test::members_of(run);
  CHECK(members.size() == 4);
  program.signal(SIGKILL);
  // The copy itself is the user's: it lives on, and is no process of the run.
  CHECK(eventually([&] { return troupe::test::members_of(run).size() == 1; }));
  for (const auto pid : troupe::test::members_of(run))
    ::kill(pid, SIGKILL);
  program.wait();
}
