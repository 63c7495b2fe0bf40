// SPDX-License-Identifier: BSL-1.0

// What a program may choose: which signals it listens to, handlers of its own,
// and to be the first process of a container.

#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

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

/// Whether a process has been sent a signal that it has not taken yet.
bool has_pending(std::int32_t pid, int signal) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(file, line);)
    if (const std::string name{"ShdPnd:"}; line.starts_with(name))
      return (std::stoull(line.substr(name.size()), nullptr, 16)
              & (1ULL << (signal - 1)))
             != 0;
  return false;
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

TEST_CASE("what serves others is passed by from its first moment on") {
  for (const bool spawn : {false, true})
    for (const int signal : {SIGINT, SIGTERM}) {
      CAPTURE(spawn);
      CAPTURE(signal);
      auto how = in_terminal();
      how.environment = {"TROUPE_TEST_STOP_FORKED=1"};
      std::vector<std::string> command{role, "serves"};
      if (spawn)
        command.emplace_back("spawn");
      launched program{command, how};
      // The process of its state, which has done nothing yet.
      std::int32_t state = 0;
      REQUIRE(program.wait_until([&](const std::string& text) {
        state = troupe::test::forked(text, 1);
        return state != 0;
      }));
      const auto run = troupe::test::run_of(program.pid());
      if (signal == SIGINT)
        program.type("\x03");
      else
        ::kill(-program.pid(), SIGTERM);
      // The terminal signals all at once: who is stopped has it, too.
      REQUIRE(
        troupe::test::eventually([&] { return has_pending(state, signal); }));
      troupe::test::go_on(state);
      const int status = program.wait();
      CAPTURE(program.output());
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 6);
      CHECK(contains(program, "the state has 7"));
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
