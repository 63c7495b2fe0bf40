// SPDX-License-Identifier: BSL-1.0

// Every call that waits, ended by every signal: typed on a terminal, sent to
// the root alone, and sent to its whole process group.

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <sys/wait.h>

using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("waiting_role");

enum class delivery { typed, to_root, to_group };

struct way {
  delivery how;
  int signal;
  std::string description;
};

const way ways[] = {
  {delivery::typed, SIGINT, "Ctrl-C typed on a terminal"},
  {delivery::to_root, SIGINT, "SIGINT to the root alone"},
  {delivery::to_root, SIGTERM, "SIGTERM to the root alone"},
  {delivery::to_group, SIGTERM, "SIGTERM to the whole process group"},
};

std::vector<std::string> names() {
  launched program{{role, "names"}};
  static_cast<void>(program.wait());
  std::istringstream lines{program.output()};
  std::vector<std::string> result;
  for (std::string line; std::getline(lines, line);)
    result.push_back(line);
  return result;
}

/// Whether the main thread sleeps.
bool main_waits(std::int32_t pid) {
  const auto number = std::to_string(pid);
  std::ifstream file{"/proc/" + number + "/task/" + number + "/stat"};
  std::string text;
  std::getline(file, text);
  const auto end = text.rfind(')');
  return end != std::string::npos && text.substr(end + 2, 1) == "S";
}

void deliver(const way& by, const launched& program) {
  switch (by.how) {
    case delivery::typed: program.type("\x03"); break;
    case delivery::to_root: program.signal(by.signal); break;
    case delivery::to_group: ::kill(-program.pid(), by.signal); break;
  }
}

/// Without what a terminal adds.
std::string plain(std::string output) {
  std::erase(output, '\r');
  for (const std::string echo : {"^C"})
    for (auto at = output.find(echo); at != std::string::npos;
         at = output.find(echo))
      output.erase(at, echo.size());
  return output;
}

struct outcome {
  int status = 0;
  std::string output;
  bool nothing_left = false;
};

outcome end_by(const way& by, const std::vector<std::string>& command) {
  troupe::test::launch_options options;
  options.terminal = by.how != delivery::to_root;
  launched program{command, options};
  REQUIRE(program.wait_for("ready"));
  REQUIRE(troupe::test::eventually([&] { return main_waits(program.pid()); }));
  const auto run = troupe::test::run_of(program.pid());
  deliver(by, program);
  const int status = program.wait();
  const bool nothing_left = troupe::test::eventually(
    [run] { return troupe::test::members_of(run).empty(); });
  return {status, plain(program.output()), nothing_left};
}

} // namespace

TEST_CASE(
  "whatever call main waits in: who does not listen dies of the signal, "
  "quietly, with nothing left") {
  const auto calls = names();
  REQUIRE(calls.size() > 20);
  for (const auto& call : calls)
    for (const auto& by : ways) {
      CAPTURE(call);
      CAPTURE(by.description);
      const auto end = end_by(by, {role, call, "deaf"});
      CHECK(WIFSIGNALED(end.status));
      CHECK(WTERMSIG(end.status) == by.signal);
      CHECK(!WCOREDUMP(end.status));
      CHECK(end.output == "ready\n");
      CHECK(end.nothing_left);
    }
}

TEST_CASE("whatever call main waits in: who listens keeps states and actors, "
          "begins nothing new, and exits with its own code") {
  for (const auto& call : names())
    for (const auto& by : ways) {
      CAPTURE(call);
      CAPTURE(by.description);
      const auto end = end_by(by, {role, call, "listens"});
      CHECK(WIFEXITED(end.status));
      CHECK(WEXITSTATUS(end.status) == 7);
      CHECK(end.output
            == "ready\n"
               "saved 42\n"
               "an actor says 42\n"
               "start: cancelled\n"
               "async: cancelled\n"
               "spawn: cancelled\n"
               "state: cancelled\n");
      CHECK(end.nothing_left);
    }
}
