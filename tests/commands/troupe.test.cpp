// SPDX-License-Identifier: BSL-1.0
// The command `troupe`, run from outside on programs that stand still.
#include "stage.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/sanitized.hpp>

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using troupe::test::answer;
using troupe::test::ask;

namespace {

/// A program of stall_roles.cpp.
class stage : public troupe::test::stage {
public:
  explicit stage(const std::string& scene)
    : troupe::test::stage({TROUPE_STALL_ROLE, scene}) {
  }
};

} // namespace

TEST_CASE("a deadlock is shown by every view, and ends the command with 3") {
  const stage scene{"two_locks"};
  const auto ps = scene.ask_when_stalled({"ps"});
  CHECK(ps.has({"run of ", "PID", "root", "accounts", "audit", "STALLED",
                "these wait for each other:", "accounts (pid ",
                "waits for mutex ", "which audit (pid "}));
  const auto tree = scene.ask_when_stalled({"tree"});
  CHECK(tree.has({"root (pid ", "├── accounts (pid ", "└── audit (pid "}));
  const auto locks = scene.ask_when_stalled({"locks"});
  CHECK(
    locks.has({"mutex ", "locked by accounts (pid ", "locked by audit (pid "}));
  const auto why = scene.ask_when_stalled({"why", "accounts"});
  CHECK(why.has({"accounts (pid ", "  audit (pid ", ": see above"}));
}

TEST_CASE("the data has what the text has") {
  const stage scene{"two_locks"};
  const auto ps
    = nlohmann::json::parse(scene.ask_when_stalled({"ps", "--json"}).text);
  REQUIRE(ps.size() == 1);
  CHECK(ps[0]["processes"].size() == 3);
  CHECK(ps[0]["processes"][1]["name"] == "accounts");
  CHECK(ps[0]["processes"][1]["waits"].size() == 1);
  CHECK(ps[0]["stalls"]["cycles"].size() == 1);
  CHECK(ps[0]["stalls"]["cycles"][0].size() == 2);
  const auto locks
    = nlohmann::json::parse(scene.ask_when_stalled({"locks", "--json"}).text);
  CHECK(locks["locks"].size() == 3);
  CHECK(locks["locks"][0]["owner"]["slot"].is_number());
}

TEST_CASE("queues are shown with who sleeps there"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"joins_its_writer"};
  const auto queues = scene.ask_when_stalled({"queues"});
  CHECK(queues.has({"QUEUE", "DEPTH", "IN/S", "queue ", "writer (pid "}));
}

TEST_CASE("what goes on is no news, and the command ends with 0") {
  const stage scene{"slow_holder"};
  const auto ps = scene.ask({"ps"});
  CHECK(ps.code == 0);
  CHECK_FALSE(ps.has({"STALLED"}));
  CHECK(troupe::test::eventually([&] {
    const auto why = scene.ask({"why", "next"});
    return why.code == 0
           && why.has({"next (pid ", "which holder (pid ",
                       "has a thread that is in no call of Troupe's"});
  }));
}

TEST_CASE("metrics are lines of name, labels and a number, each name explained"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{"joins_its_writer"};
  const auto metrics = scene.ask_when_stalled({"metrics"});
  CHECK(metrics.has({"troupe_processes{run=\"", "troupe_stalled_threads{run=\"",
                     "name=\"writer\"", "troupe_queue_depth{run=\"",
                     "origin=\"stall_roles.cpp:"}));
  const std::regex explained{"# (HELP|TYPE) troupe_[a-z_]+ .+"};
  const std::regex value{
    R"re(troupe_[a-z_]+\{run="\d+"(,[a-z]+="([^"\\]|\\.)*")*\} [-+0-9.e]+)re"};
  std::istringstream lines{metrics.text};
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line.starts_with('#')) {
      CHECK(std::regex_match(line, explained));
      names.insert(line.substr(7, line.find(' ', 7) - 7));
    } else {
      CHECK(std::regex_match(line, value));
      CHECK(names.contains(line.substr(0, line.find('{'))));
    }
  }
}

TEST_CASE("a process is ended by its name, and the others go on") {
  stage scene{"two_locks"};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  const auto kill = scene.ask({"kill", "audit"});
  CHECK(kill.code == 0);
  CHECK(kill.has({"audit (pid ", "was sent SIGKILL"}));
  // Its death has freed the lock that accounts waited for.
  const int status = scene.wait_for_end();
  CHECK(WIFEXITED(status));
}

TEST_CASE("a tree, and the root, are ended only after a question") {
  const stage scene{"two_locks"};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  // Standard input has ended: nobody says yes.
  const auto kill = scene.ask({"kill", "root"});
  CHECK(kill.code == 1);
  CHECK(kill.has({"This ends", "accounts (pid ", "nothing was done"}));
  CHECK(scene.ask({"ps"}).has({"accounts"}));
  CHECK(scene.ask({"kill", "root", "--yes"}).code == 0);
}

#if defined(TROUPE_HAS_STACKS)
TEST_CASE("stacks of all processes are told in one go, equal ones once") {
  const stage scene{"two_locks"};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  const auto stack = scene.ask_when_stalled({"stack", "--all"});
  CHECK(stack.has({"accounts (pid ", ", audit (pid ",
                   "troupe::sync::mutex_word", "two_locks"}));
  // They were let go on.
  CHECK(scene.ask({"kill", "audit"}).code == 0);
}
#endif

TEST_CASE("who is no run, and who is not there, are told in a sentence") {
  const auto none = ask({"ps", "--run", "999999999"});
  CHECK(none.code == 1);
  CHECK(none.text == "troupe: there is no process 999999999.\n");
  const auto other = ask({"ps", "--run", std::to_string(::getppid())});
  CHECK(other.code == 1);
  CHECK(other.has({"belongs to no run of Troupe."}));
  const stage scene{"two_locks"};
  const auto nobody = scene.ask({"why", "nobody"});
  CHECK(nobody.code == 1);
  CHECK(nobody.has({"the run has no living process nobody."}));
}

namespace {

/// What is to be run as a user of no rights, where the caller is root.
std::vector<std::string> as_nobody(std::vector<std::string> words) {
  if (::geteuid() == 0)
    words.insert(words.begin(), {"/usr/bin/setpriv", "--reuid=65534",
                                 "--regid=65534", "--clear-groups"});
  return words;
}

answer ask_as_nobody(std::vector<std::string> words) {
  words.insert(words.begin(), TROUPE_COMMAND);
  troupe::test::launched command{as_nobody(words)};
  const int status = command.wait();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, command.output()};
}

/// Whether such a user may execute the command, which may lie in root's folder.
bool nobody_may() {
  return ask_as_nobody({"--version"}).code == 0;
}

} // namespace

TEST_CASE("of another user's run it says what the refusal means") {
  const stage scene{"two_locks"};
  if (::geteuid() != 0 || !nobody_may())
    return;
  const auto refused = ask_as_nobody({"ps", "--run", scene.pid()});
  CHECK(refused.code == 1);
  CHECK(refused.has({"the kernel does not let you look at process ",
                     "it is of the user root"}));
  CHECK(ask_as_nobody({"ps"}).has({"of another user"}));
}

TEST_CASE(
  "of a program that may not be dumped it says what the refusal means") {
  if (!nobody_may())
    return;
  const troupe::test::stage scene{
    as_nobody({TROUPE_STALL_ROLE, "not_dumpable"}), "hidden"};
  const auto refused = ask_as_nobody({"ps", "--run", scene.pid()});
  CHECK(refused.code == 1);
  CHECK(refused.has({"the kernel does not let you look at process ",
                     "may not be dumped (setuid, PR_SET_DUMPABLE)"}));
}

TEST_CASE("of several runs a command that needs one lists them") {
  const stage one{"two_locks"};
  const stage other{"two_locks"};
  const auto queues = ask({"queues"});
  CHECK(queues.code == 1);
  CHECK(queues.has({"there are several runs; choose one with --run PID:",
                    "run of stall_role (pid "}));
  CHECK(ask({"ps"}).has({"accounts", "audit"}));
}

TEST_CASE("wrong words are told, help is there for each") {
  CHECK(ask({}).code == 2);
  CHECK(ask({"sing"}).code == 2);
  CHECK(ask({"why"}).code == 2);
  const auto help = ask({"--help-all"});
  CHECK(help.code == 0);
  for (const auto* each : {"ps", "tree", "queues", "locks", "pools", "actors",
                           "why", "kill", "trace", "metrics"}) {
    CHECK(help.text.find(each) != std::string::npos);
    CHECK(ask({each, "--help"}).code == 0);
  }
  CHECK(ask({"--version"}).has({"troupe "}));
  CHECK(
    ask({"completion"}).has({"complete -F _troupe troupe", "why)", "--json"}));
}
