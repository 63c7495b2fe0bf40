// SPDX-License-Identifier: BSL-1.0
// `troupe top` on a terminal of its own; what that shows is compared.
#include "stage.hpp"

#include <doctest/doctest.h>
#include <support/launched.hpp>
#include <support/sanitized.hpp>
#include <support/screen.hpp>

#include <csignal>
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include <sys/wait.h>

using troupe::test::launched;
using troupe::test::screen;
using troupe::test::stage;

namespace {

constexpr std::size_t rows = 24;
constexpr std::size_t columns = 120;

/// The command on a terminal, and what that shows.
class shown_top {
public:
  explicit shown_top(const stage& of)
    : command_({TROUPE_COMMAND, "top", "--every", "0.2", "--run", of.pid()},
               options()) {
  }

  /// Waits until the screen is as wanted.
  [[nodiscard]] bool
  shows(const std::function<bool(const std::vector<std::string>&)>& wanted) {
    const bool found = command_.wait_until([&](const std::string& written) {
      screen_.show(written);
      return wanted(screen_.lines());
    });
    if (!found)
      MESSAGE(screen_.text());
    return found;
  }

  [[nodiscard]] bool shows(const char* pattern) {
    const std::regex what{pattern};
    return shows(
      [&](const auto&) { return std::regex_search(screen_.text(), what); });
  }

  void type(const std::string& keys) const {
    command_.type(keys);
  }

  [[nodiscard]] int ends_with() {
    const int status = command_.wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  static troupe::test::launch_options options() {
    auto result = troupe::test::in_terminal();
    result.environment = {"TERM=vt100", "LC_ALL=C.UTF-8", "LINES=24",
                          "COLUMNS=120"};
    return result;
  }

  launched command_;
  screen screen_{rows, columns};
};

} // namespace

TEST_CASE("top shows a deadlock on its first screen, line by line"
          * doctest::skip(!troupe::test::stalls_are_told)) {
  const stage scene{{TROUPE_STALL_ROLE, "two_locks"}};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  shown_top top{scene};
  const std::vector<std::regex> wanted{
    std::regex{"run of [0-9]+: 3 processes, .* of memory used, .*"},
    std::regex{R"(\[1 processes\]  2 queues   3 locks   4 pools   5 actors)"},
    std::regex{"STALLED: nobody can go on who could end these waits."},
    std::regex{"these wait for each other:"},
    std::regex{
      R"(  accounts \(pid [0-9]+\) waits for mutex .*, which audit .*)"},
    std::regex{
      R"(  audit \(pid [0-9]+\) waits for mutex .*, which accounts .*)"},
    std::regex{R"(behind them: root \(pid [0-9]+\) waits for the end of .*)"},
    std::regex{""},
    std::regex{
      "PID +NAME +STATE +CPU +RESIDENT +THREADS +TASKS/S +WAITED +WAITS "
      "FOR"},
    std::regex{R"([0-9]+ +root +running +.* the end of accounts \(pid .*)"},
    std::regex{R"([0-9]+ +accounts +running +.* mutex [0-9]+ \(stall_roles.*)"},
    std::regex{R"([0-9]+ +audit +running +.* mutex [0-9]+ \(stall_roles.*)"},
    std::regex{""}};
  CHECK(top.shows([&](const auto& lines) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!std::regex_match(lines[i], wanted[i]))
        return false;
    return lines.back().starts_with("1-5 page  cmtwnp sort (by PID)");
  }));
  top.type("q");
  CHECK(top.ends_with() == 3);
}

TEST_CASE("keys sort, choose and turn pages") {
  const stage scene{{TROUPE_STALL_ROLE, "two_locks"}};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  shown_top top{scene};
  REQUIRE(top.shows("sort \\(by PID\\)"));
  top.type("n");
  CHECK(top.shows("sort \\(by name\\)"));
  CHECK(top.shows("accounts +running[^\n]*\n[^\n]* audit +running[^\n]*\n"
                  "[^\n]* root +running"));
  top.type("r");
  CHECK(top.shows("root +running[^\n]*\n[^\n]* audit +running[^\n]*\n"
                  "[^\n]* accounts +running"));
  // The root is chosen at first; two below is accounts.
  top.type("jj\r");
  CHECK(top.shows("\naccounts \\(pid [0-9]+\\) waits for mutex [^\n]*, for "
                  "[0-9.]+ s\n  audit \\(pid "));
  top.type("3");
  CHECK(top.shows("\\[3 locks\\]"));
  CHECK(top.shows("OBJECT +STATE +SINCE +WAITING, LONGEST FIRST"));
  CHECK(top.shows("mutex [^\n]*locked by accounts \\(pid "));
  top.type("\t");
  CHECK(top.shows("the run has no pools"));
  top.type("q");
  CHECK(top.ends_with() == 3);
}

TEST_CASE("top ends with the run, and says so") {
  stage scene{{TROUPE_STALL_ROLE, "slow_holder"}};
  shown_top top{scene};
  REQUIRE(top.shows("holder +running"));
  CHECK(scene.ask({"kill", "root", "--yes"}).code == 0);
  CHECK(top.shows("troupe: .*(has ended|there is no)"));
  CHECK(top.ends_with() == 1);
}

TEST_CASE("top without a terminal says what to use instead") {
  const stage scene{{TROUPE_STALL_ROLE, "slow_holder"}};
  const auto refused = scene.ask({"top"});
  CHECK(refused.code == 1);
  CHECK(refused.has({"top needs a terminal; `troupe ps --watch` does not."}));
}
