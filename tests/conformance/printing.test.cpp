// SPDX-License-Identifier: BSL-1.0

// Programs that print by `caf::aout`: what they print, with all actors in one
// process, with each in a process of its own, and with all on another machine.

#include <actors/machines/together.hpp>
#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <sys/wait.h>

namespace {

const std::string role = troupe::test::beside_this_program("printing_role");

/// What the program prints, in any order; it must end well, with nothing left.
std::vector<std::string> sorted_lines_of(const std::string& name,
                                         const std::string& where) {
  CAPTURE(name);
  CAPTURE(where);
  troupe::test::launched program{{role, name, where}};
  const int status = program.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  std::vector<std::string> result;
  std::istringstream text{program.output()};
  for (std::string line; std::getline(text, line);)
    result.push_back(line);
  std::sort(result.begin(), result.end());
  return result;
}

/// What so many lines are that it prints on a machine, of which each comes to
/// the lead behind the machine's name; both must end well, with nothing left.
std::vector<std::string> sorted_lines_of_machine(const std::string& name,
                                                 std::size_t count) {
  CAPTURE(name);
  const std::string before = "elsewhere│ ";
  troupe::test::leading lead{{name, "machine"}, {}, "printing_role"};
  troupe::test::joining machine{lead.where(),
                                {"--troupe.name=elsewhere"},
                                "printing_role"};
  REQUIRE(machine.joins());
  CHECK(lead.wait_until([&](const std::string& output) {
    return troupe::test::count(output, before) >= count
           && troupe::test::count(output, "all are made") == 1;
  }));
  machine.signal(SIGTERM);
  CHECK(troupe::test::exited_with(machine.wait(), 0));
  CHECK(troupe::test::exited_with(lead.wait(), 0));
  CHECK(troupe::test::leaves_nothing(lead.run()));
  CHECK(troupe::test::leaves_nothing(machine.run()));
  std::vector<std::string> result;
  std::istringstream text{lead.output()};
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(before))
      result.push_back(line.substr(before.size()));
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

TEST_CASE(
  "each line of aout is printed whole and once, also what an actor prints "
  "right before its end") {
  std::vector<std::string> expected{"a blocking actor says hi"};
  for (int i = 0; i < 8; ++i) {
    expected.push_back("talker " + std::to_string(i) + " begins");
    expected.push_back("talker " + std::to_string(i) + " is done");
  }
  std::sort(expected.begin(), expected.end());
  for (const std::string where : {"here", "own_process"})
    CHECK(sorted_lines_of("talk", where) == expected);
  CHECK(sorted_lines_of_machine("talk", expected.size()) == expected);
}

TEST_CASE("classes that hide their members are sent and printed") {
  const std::vector<std::string> expected{
    R"(journey([station(1, "Port"), station(2, "Museum")]))",
    R"(station(7, "Zoo"))"};
  for (const std::string where : {"here", "own_process"})
    CHECK(sorted_lines_of("travel", where) == expected);
  CHECK(sorted_lines_of_machine("travel", expected.size()) == expected);
}
