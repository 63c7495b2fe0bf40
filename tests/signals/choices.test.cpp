// SPDX-License-Identifier: BSL-1.0

// What a program may choose: which signals it listens to, handlers of its own,
// and to be the first process of a container.

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using troupe::test::in_terminal;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("own_handler_role");
const std::string waiting = troupe::test::beside_this_program("waiting_role");

bool contains(const launched& program, const std::string& text) {
  return program.output().find(text) != std::string::npos;
}

bool gone(std::uint64_t run) {
  return troupe::test::eventually(
    [run] { return troupe::test::members_of(run).empty(); });
}

/// The one child of a process; 0 before it has one.
std::int32_t child_of(std::int32_t pid) {
  const auto number = std::to_string(pid);
  std::ifstream list{"/proc/" + number + "/task/" + number + "/children"};
  std::int32_t child = 0;
  list >> child;
  return child;
}

bool may_unshare() {
  return ::geteuid() == 0
         && std::system("unshare --pid --fork --mount-proc true "
                        ">/dev/null 2>&1")
              == 0;
}

} // namespace

TEST_CASE("a handler that was set before program stays, and states live") {
  for (const int signal : {SIGINT, SIGTERM}) {
    launched program{{role, "handles"}, in_terminal()};
    REQUIRE(program.wait_for("ready"));
    const auto run = troupe::test::run_of(program.pid());
    if (signal == SIGINT)
      program.type("\x03");
    else
      ::kill(-program.pid(), SIGTERM);
    const int status = program.wait();
    CAPTURE(program.output());
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 4);
    CHECK(contains(program, "handled " + std::to_string(signal)
                              + "; interrupted 0; started 1"));
    CHECK(gone(run));
  }
}

TEST_CASE("a child that listens to SIGTERM has it passed on, one that does not "
          "dies of it") {
  launched program{{role, "tokens"}};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.signal(SIGTERM);
  const int status = program.wait();
  CAPTURE(program.output());
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
  CHECK(contains(program, "the child tidies up"));
  CHECK(contains(program, "child: exited with code 0"));
  CHECK(contains(program, "plain: killed by SIGTERM (15)"));
  CHECK(contains(program, "asked: 1; by 15"));
  CHECK(gone(run));
}

TEST_CASE("who listens to one signal dies of the other") {
  launched program{{role, "tokens"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  const int status = program.wait();
  CAPTURE(program.output());
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(!contains(program, "tidies up"));
  CHECK(gone(run));
}

TEST_CASE("a second Ctrl-C ends a program whose token's callback never "
          "returns") {
  launched program{{role, "calls_back"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  REQUIRE(program.wait_for("called"));
  program.type("\x03");
  const int status = program.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(gone(run));
}

TEST_CASE(
  "the first process of a PID namespace ends by a signal, too: with 128 "
  "and its number, or with its own code") {
  if (!may_unshare()) {
    MESSAGE("skipped: it takes root and unshare(1)");
    return;
  }
  for (const int signal : {SIGINT, SIGTERM})
    for (const char* mode : {"deaf", "listens"})
      for (const char* call : {"join", "state", "map"}) {
        CAPTURE(signal);
        CAPTURE(mode);
        CAPTURE(call);
        launched program{{"/usr/bin/unshare", "--pid", "--fork", "--mount-proc",
                          "--kill-child", waiting, call, mode}};
        REQUIRE(program.wait_for("ready"));
        const auto first = child_of(program.pid());
        REQUIRE(first > 0);
        const auto run = troupe::test::run_of(first);
        REQUIRE(run != 0);
        ::kill(first, signal);
        const int status = program.wait();
        CAPTURE(program.output());
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == (mode[0] == 'd' ? 128 + signal : 7));
        CHECK(gone(run));
      }
}
