// SPDX-License-Identifier: BSL-1.0

// What becomes of a command when the process that has run it ends.

#include <troupe/process/program.hpp>
#include <troupe/process/run_command.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/processes.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <unistd.h>

using troupe::test::eventually;
using troupe::test::launched;
using troupe::test::running_with;
using troupe::test::unique_seconds;

namespace {

const std::string role = troupe::test::beside_this_program("process_role");

/// Two processes in the group, of which the second outlives the leader's end.
std::string script(const std::string& mark) {
  return "sleep " + mark + " & sleep " + mark + "; :";
}

void run_script(const std::string& mark) {
  static_cast<void>(troupe::run_command({"sh", "-c", script(mark)}));
}

bool runs(const std::string& mark) {
  // The shell has the mark in its command line, too.
  return eventually([&] { return running_with(mark) == 3; });
}

bool is_gone(const std::string& mark) {
  return eventually([&] { return running_with(mark) == 0; });
}

} // namespace

TEST_CASE("a command ends with the child that runs it, however that ends") {
  for (const int signal : {SIGKILL, SIGTERM, SIGSEGV}) {
    CAPTURE(signal);
    const auto mark = unique_seconds();
    auto child = troupe::start<run_script>(mark);
    CHECK(runs(mark));
    child.send_signal(signal);
    CHECK_FALSE(child.join().success());
    CHECK(is_gone(mark));
  }
}

TEST_CASE("a command in another thread ends with the exit of its process") {
  const auto mark = unique_seconds();
  auto child = troupe::start(
    [](std::string of) {
      std::thread{run_script, of}.detach();
      if (!runs(of))
        std::exit(1);
    },
    mark);
  CHECK(child.join().success());
  CHECK(is_gone(mark));
}

TEST_CASE("a copy that the user forked off its caller keeps no command alive") {
  const auto mark = unique_seconds();
  auto child = troupe::start(
    [](std::string of) {
      std::thread{run_script, of}.detach();
      if (!runs(of) || ::fork() < 0)
        std::exit(1);
      // The copy lives as long as the command does, and this test waits.
      static_cast<void>(is_gone(of));
      ::_exit(0);
    },
    mark);
  CHECK(runs(mark));
  child.kill();
  CHECK(child.join().signal() == SIGKILL);
  CHECK(is_gone(mark));
}

TEST_CASE("a command ends with the program, also when its root is killed") {
  for (const std::string who : {"root", "child"})
    for (const int signal : {SIGKILL, SIGTERM, SIGINT}) {
      CAPTURE(who);
      CAPTURE(signal);
      const auto mark = unique_seconds();
      launched program{{role, "run_command", who, script(mark)}};
      // The processes of the run have the mark in their command line as well.
      const std::size_t own = who == "root" ? 2 : 3;
      CHECK(eventually([&] { return running_with(mark) == own + 3; }));
      program.signal(signal);
      static_cast<void>(program.wait());
      CHECK(is_gone(mark));
    }
}
