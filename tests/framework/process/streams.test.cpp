// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/error_tail.hpp>

#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <unistd.h>

using troupe::test::beside_this_program;
using troupe::test::count;
using troupe::test::launched;

namespace {

const std::string role = beside_this_program("process_role");

} // namespace

TEST_CASE(
  "lines of several processes do not tear, and nothing is printed twice") {
  launched program{{role, "lines"}};
  CHECK(program.wait() == 0);
  std::istringstream in{program.output()};
  std::string line;
  std::map<std::string, int> seen;
  int torn = 0;
  while (std::getline(in, line)) {
    ++seen[line];
    const bool whole = line.starts_with("<") && line.ends_with(">")
                       && count(line, "<") == 1 && count(line, ">") == 1;
    const bool roots = line.starts_with("root") || line.starts_with("main")
                       || line.starts_with("unflushed")
                       || line.starts_with(" and its end");
    torn += !whole && !roots;
  }
  // The root's own half line goes out when it starts a process.
  CHECK(torn <= 1);
  CHECK(seen["root before"] == 1);
  CHECK(seen["main goes on"] == 1);
  CHECK(count(program.output(), "unflushed half") == 1);
  CHECK(count(program.output(), "and its end") == 1);
  CHECK(count(program.output(), "<out 3 17 ") == 1);
  CHECK(count(program.output(), "<err 3 17 ") == 1);
  CHECK(count(program.output(), "<out ") == 8 * 200 * 2);
  CHECK(count(program.output(), "<err ") == 8 * 200 * 2);
  CHECK(count(program.output(), "<log ") == 8 * 200);
}

TEST_CASE("standard output and error are flushed at every end") {
  launched program{{role, "half_lines"}};
  CHECK(program.wait() == 0);
  const auto& text = program.output();
  for (const char* part : {"returned", "exited", "threw"}) {
    CHECK(count(text, part) == 2);
    CHECK(count(text, std::string{"err "} + part) == 1);
  }
  CHECK(count(text, "std::runtime_error: the reason") == 1);
  CHECK(count(text, "goodbye from a static object") == 1);
  CHECK(count(text, "and on cout") == 1);
}

TEST_CASE("closed standard streams do no harm") {
  const auto answer = "/tmp/troupe-answer-" + std::to_string(::getpid());
  for (const auto& closed : std::vector<std::vector<int>>{
         {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
    troupe::test::launch_options options;
    options.closed = closed;
    launched program{{role, "closed_streams", answer}, options};
    CHECK(program.wait() == 0);
    int sum = 0;
    std::ifstream{answer} >> sum;
    CHECK(sum == 40);
    std::filesystem::remove(answer);
  }
}
