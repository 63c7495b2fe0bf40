// SPDX-License-Identifier: BSL-1.0

// A function on another machine: result, exception, death, and what it prints.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/stopped.hpp>

using namespace troupe::test;

namespace {

/// What a lead has printed that did `arguments` with one machine, "kitchen".
std::string output_of(std::vector<std::string> arguments,
                      const std::vector<std::string>& of_machine = {}) {
  leading lead{std::move(arguments)};
  auto options = of_machine;
  options.emplace_back("--troupe.name=kitchen");
  joining kitchen{lead.where(), options};
  CHECK(kitchen.joins());
  CHECK(exited_with(lead.wait(), 0));
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(leaves_nothing(lead.run()));
  CHECK(leaves_nothing(kitchen.run()));
  return lead.output();
}

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(text);
  return found;
}

} // namespace

TEST_CASE("many processes at once, on two machines") {
  leading lead{{"squares", "60", "2"}};
  joining one{lead.where()};
  joining two{lead.where()};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(contains(lead.output(), "sum 70210"));
  CHECK(exited_with(one.wait(), 0));
  CHECK(exited_with(two.wait(), 0));
}

TEST_CASE("an exception arrives with its type, its text, what was inside of it "
          "and the last lines") {
  const auto text = output_of({"fail"});
  CHECK(contains(text,
                 "remote_exception [get the result of process process-1 on "
                 "machine kitchen ("));
  CHECK(contains(text, "type=std::logic_error text=the oven is cold causes=1"));
  CHECK(contains(text, "caused by std::runtime_error: no gas"));
  CHECK(contains(text, "its last lines on standard error:\nthe flame is out"));
}

TEST_CASE("a death arrives with the signal and the last lines") {
  const auto text = output_of({"die"});
  CHECK(contains(text, "process_died [get the result of process process-1 on "
                       "machine kitchen ("));
  CHECK(contains(text, "killed by SIGKILL (9)"));
  CHECK(contains(text, "its last lines on standard error:\nabout to die"));
}

TEST_CASE("a process that leaves without a result has died") {
  CHECK(contains(output_of({"leave", "5"}), "process_died ["));
  CHECK(contains(output_of({"leave", "0"}), "process_died ["));
}

TEST_CASE("a process on another machine can be killed from here") {
  const auto text = output_of({"terminate"});
  CHECK(contains(text, "killed by SIGKILL (9)"));
}

TEST_CASE(
  "a process that takes long to begin holds up nobody, and is killed when "
  "it begins if it was to be") {
  leading lead{{"late"}};
  auto how = with_key();
  how.environment.emplace_back("TROUPE_TEST_STOP_FORKED=1");
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}, "machine_role", how};
  const auto next_forked = [&](int number) {
    std::int32_t pid = 0;
    REQUIRE(lead.wait_until([&](const std::string& text) {
      pid = forked(text, number);
      return pid != 0;
    }));
    return pid;
  };
  const auto first = next_forked(1);
  go_on(next_forked(2));
  REQUIRE(lead.wait_for("result 9 after"));
  go_on(next_forked(3));
  REQUIRE(lead.wait_for("all but the first"));
  CHECK(contains(lead.output(), "result 16 after"));
  go_on(first);
  CHECK(exited_with(lead.wait(), 0));
  CHECK(contains(lead.output(), "killed by SIGKILL (9)"));
  CHECK(exited_with(kitchen.wait(), 0));
}

TEST_CASE("wait_any waits for the results of machines beside other things, and "
          "is told of their deaths and losses") {
  leading lead{{"wait"}};
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  REQUIRE(lead.wait_for("about to be lost"));
  kitchen.signal(SIGKILL);
  CHECK(exited_with(lead.wait(), 0));
  CHECK(contains(lead.output(), "first 1 2\n"));
  CHECK(contains(lead.output(), "none in time 1\n"));
  CHECK(contains(lead.output(), "beside others 1\n"));
  CHECK(contains(lead.output(), "taken 1\n"));
  CHECK(contains(lead.output(), "killed 0\n"));
  CHECK(contains(lead.output(), "killed by SIGKILL (9)"));
  CHECK(contains(lead.output(), "lost 0\n"));
}

TEST_CASE("a large argument and a large result cross in pieces") {
  CHECK(contains(output_of({"echo", "30000000"}), "result 1 after"));
  CHECK(contains(output_of({"echo", "0"}), "result 1 after"));
}

TEST_CASE("a buffer crosses as a copy, in pieces, there and back") {
  CHECK(contains(output_of({"image", "60000000"}), "result 1 after"));
  CHECK(contains(output_of({"image", "0"}), "result 1 after"));
}

TEST_CASE("memory of this machine in an argument whose type does not tell is "
          "refused to the sender") {
  CHECK(
    contains(output_of({"lend"}),
             "invalid_argument [start a process on machine kitchen: an "
             "argument names memory of this machine; pass a copy, such as a "
             "std::vector]"));
}

TEST_CASE("what processes print comes to the lead line by line, with the "
          "machine's name, before the result") {
  const auto text = output_of({"print", "200"});
  for (int i = 1; i <= 200; ++i) {
    const auto number = std::to_string(i) + '\n';
    CHECK(count(text, "kitchen│ line " + number) == 1);
    CHECK(count(text, "kitchen│ error " + number) == 1);
  }
  CHECK(text.find("kitchen│ the end\n") < text.find("result 200"));
}

TEST_CASE("more output than a pipe and the window hold arrives whole") {
  const auto text = output_of({"print", "60000"});
  CHECK(count(text, "kitchen│ line ") == 60'000);
  CHECK(count(text, "kitchen│ error ") == 60'000);
  CHECK(contains(text, "result 60000"));
}

TEST_CASE("output may stay where it is") {
  leading lead{{"print", "3"}};
  joining kitchen{lead.where(),
                  {"--troupe.name=kitchen", "--troupe.output=here"}};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(lead.output().find("│") == std::string::npos);
  CHECK(contains(kitchen.output(), "line 3\n"));
  CHECK(contains(kitchen.output(), "error 3\n"));
}
