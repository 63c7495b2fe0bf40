// SPDX-License-Identifier: BSL-1.0
// The report at the end of a run, TROUPE_REPORT=1.
#include <doctest/doctest.h>
#include <support/launched.hpp>

#include <initializer_list>
#include <regex>
#include <string>

namespace {

std::string run(const char* scene, const char* wanted = "TROUPE_REPORT=1") {
  troupe::test::launch_options options;
  options.environment.emplace_back(wanted);
  troupe::test::launched program{
    {troupe::test::beside_this_program("work_role"), scene}, options};
  CHECK(program.wait() == 0);
  return program.output();
}

bool has(const std::string& text, const char* pattern) {
  return std::regex_search(text, std::regex{pattern});
}

/// The time that stands in a text where the pattern has its first group, in
/// milliseconds; 0 if there is none.
double milliseconds(const std::string& text, const char* pattern) {
  std::smatch found;
  if (!std::regex_search(
        text, found,
        std::regex{std::string{pattern}.replace(std::string{pattern}.find('@'),
                                                1, "([0-9.]+) (us|ms|s)")}))
    return 0;
  const double unit = found[2] == "us" ? 1e-3 : found[2] == "ms" ? 1 : 1e3;
  return std::stod(found[1]) * unit;
}

} // namespace

TEST_CASE("a report says what the run has spent its time on") {
  const auto text = run("reported");
  INFO(text);
  CHECK(has(text, "troupe: the run took [0-9.]+ (m?s) and had 5 processes"));
  CHECK(has(text, "troupe:   root \\([0-9]+\\): lasted [0-9.]+ m?s, worked "));
  CHECK(milliseconds(text, "troupe:   holder \\([0-9]+\\): .*, lasted @")
        >= 300);
  CHECK(milliseconds(text, "troupe:   next \\([0-9]+\\): .*, waited @, most of "
                           "it for locks")
        >= 290);
  CHECK(has(text, "troupe:   bakery: 2 workers, 7 tasks; started in "));
  CHECK(milliseconds(text, "slowest tasks:\ntroupe:   @  nap, by bakery-[12] ")
        >= 150);
  CHECK(has(text,
            "queues by their greatest depth:\ntroupe:   100  queue [0-9]+ "
            "\\(work_roles.cpp:[0-9]+\\)"));
  CHECK(milliseconds(text, "troupe:   @  mutex [0-9]+ \\(work_roles.cpp:[0-9]+"
                           "\\); 1 wait slept, ")
        >= 290);
  CHECK(has(text, "troupe: advice: mutex .*hold it for shorter"));
}

TEST_CASE("the advice is about what took the most") {
  CHECK(has(run("quick_tasks"), "troupe: advice: the workers of bakery waited "
                                "[0-9]+ % of their time, and a task takes .*in "
                                "larger chunks"));
  CHECK(has(run("nothing"), "troupe: advice: nothing stands out"));
}

TEST_CASE("what was killed at its work is in the report") {
  const auto text = run("killed_at_work");
  INFO(text);
  CHECK(has(text, "troupe:   bakery-1 \\([0-9]+\\): "));
  CHECK(has(text, "troupe:   bakery: [12] workers?, 0 tasks; "));
}

TEST_CASE("without the variable there is no report") {
  CHECK(run("nothing", "TROUPE_REPORT=0") == "begins\n");
  CHECK(run("nothing", "TROUPE_REPORT=") == "begins\n");
}
