// SPDX-License-Identifier: BSL-1.0

// Programs that print by `caf::aout`: what they print, with all actors in one
// process and with each in a process of its own.

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
}

TEST_CASE("classes that hide their members are sent and printed") {
  const std::vector<std::string> expected{
    R"(journey([station(1, "Port"), station(2, "Museum")]))",
    R"(station(7, "Zoo"))"};
  for (const std::string where : {"here", "own_process"})
    CHECK(sorted_lines_of("travel", where) == expected);
}
