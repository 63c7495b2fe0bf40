// SPDX-License-Identifier: BSL-1.0
// `troupe trace`: its file is what Chrome's format wants, and says what the
// program did.
#include "stage.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <support/folder.hpp>
#include <support/launched.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

using nlohmann::json;
using troupe::test::stage;

namespace {

struct span {
  std::string name;
  std::int64_t pid = 0;
  std::int64_t thread = 0;
  double begin = 0;
  double lasted = 0;
};

struct arrow {
  std::string name;
  /// Where it begins and ends: a thread, and when.
  span from;
  span to;
};

/// Checks each event against the format, and gives the spans, and the arrows.
std::vector<span> spans_of(const json& file,
                           std::map<std::int64_t, std::string>& processes,
                           std::vector<arrow>* arrows = nullptr) {
  REQUIRE(file.is_object());
  REQUIRE(file["traceEvents"].is_array());
  std::vector<span> result;
  std::map<std::uint64_t, arrow> begun;
  for (const auto& event : file["traceEvents"]) {
    CAPTURE(event.dump());
    REQUIRE(event["name"].is_string());
    REQUIRE(event["pid"].is_number_integer());
    REQUIRE(event["tid"].is_number_integer());
    if (event["ph"] == "M") {
      CHECK(event["name"] == "process_name");
      processes[event["pid"].get<std::int64_t>()] = event["args"]["name"];
      continue;
    }
    REQUIRE(event["ts"].is_number());
    if (event["ph"] == "s" || event["ph"] == "f") {
      REQUIRE(event["id"].is_number_unsigned());
      CHECK(event["cat"] == "cause");
      // The end is of the span around it.
      CHECK(event.contains("bp") == (event["ph"] == "f"));
      const span end{event["name"], event["pid"], event["tid"], event["ts"], 0};
      auto& known = begun[event["id"].get<std::uint64_t>()];
      if (event["ph"] == "s") {
        CHECK(known.name.empty());
        known = {end.name, end, {}};
      } else {
        CHECK(known.name == end.name);
        known.to = end;
        if (arrows != nullptr)
          arrows->push_back(known);
      }
      continue;
    }
    REQUIRE(event["ph"] == "X");
    REQUIRE(event["dur"].is_number());
    CHECK(event["dur"].get<double>() >= 0);
    CHECK(event["cat"].is_string());
    result.push_back(
      {event["name"], event["pid"], event["tid"], event["ts"], event["dur"]});
  }
  return result;
}

/// Whether the spans of each thread are beside or inside of each other.
bool are_nested(std::vector<span> spans) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<span>> of;
  for (auto& each : spans)
    of[{each.pid, each.thread}].push_back(each);
  // Times are told in microseconds, to the nanosecond.
  constexpr double least = 0.01;
  for (auto& [thread, all] : of) {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::pair{a.begin, -a.lasted} < std::pair{b.begin, -b.lasted};
    });
    std::vector<double> ends;
    for (const auto& each : all) {
      while (!ends.empty() && ends.back() <= each.begin + least)
        ends.pop_back();
      if (!ends.empty() && each.begin + each.lasted > ends.back() + least)
        return false;
      ends.push_back(each.begin + each.lasted);
    }
  }
  return true;
}

/// Whether a span with that in its name is around a moment of its thread.
bool is_inside(const std::vector<span>& spans, const span& moment,
               const char* name) {
  constexpr double least = 0.01;
  return std::any_of(spans.begin(), spans.end(), [&](const auto& each) {
    return each.pid == moment.pid && each.thread == moment.thread
           && each.name.find(name) != std::string::npos
           && each.begin <= moment.begin + least
           && moment.begin <= each.begin + each.lasted + least;
  });
}

double told(const std::string& output, const char* what) {
  std::smatch found;
  REQUIRE(std::regex_search(output, found,
                            std::regex{std::string{what} + " ([0-9]+) us"}));
  return std::stod(found[1]);
}

} // namespace

TEST_CASE(
  "a trace has the format, and the spans that the program says it had") {
  const troupe::test::folder folder;
  const auto path = (folder.path() / "trace.json").string();
  stage scene{{TROUPE_WORK_ROLE, "spans"}};
  // It begins when it is traced, and ends.
  const auto trace = scene.ask({"trace", path});
  CHECK(trace.code == 0);
  CHECK(trace.has({"tracing run of ", " spans are in "}));
  CHECK(scene.wait_for_end() == 0);
  std::ifstream file{path};
  std::map<std::int64_t, std::string> processes;
  const auto spans = spans_of(json::parse(file), processes);
  CHECK(are_nested(spans));

  double waited = 0;
  int waits = 0;
  double napped = 0;
  int naps = 0;
  for (const auto& each : spans) {
    if (processes[each.pid] == "next"
        && each.name.starts_with("waits for mutex") && each.lasted > 10'000) {
      CHECK(each.name.find("(work_roles.cpp:") != std::string::npos);
      waited += each.lasted;
      ++waits;
    }
    if (each.name.find("nap") != std::string::npos) {
      CHECK(processes[each.pid].starts_with("bakery-"));
      napped += each.lasted;
      ++naps;
    }
  }
  CHECK(waits == 5);
  CHECK(naps == 8);
  // The program's clock is asked around the waits, whose spans begin where it
  // sleeps, and inside of the tasks.
  constexpr double five_times_held = 5 * 60'000.0;
  CHECK(waited >= five_times_held * 0.99);
  CHECK(waited <= told(scene.output(), "waited"));
  CHECK(napped >= told(scene.output(), "napped"));
  // Whatever else runs on the machine.
  CHECK(napped <= told(scene.output(), "napped") + 8 * 100'000.0);
  for (const auto* name : {"root", "holder", "next", "bakery-1", "bakery-2"})
    CHECK(std::any_of(processes.begin(), processes.end(),
                      [&](const auto& each) { return each.second == name; }));
}

TEST_CASE(
  "arrows lead from where a task was given, and a process asked for, to "
  "where it begins") {
  const troupe::test::folder folder;
  const auto path = (folder.path() / "trace.json").string();
  stage scene{{TROUPE_WORK_ROLE, "spans"}};
  CHECK(scene.ask({"trace", path}).code == 0);
  CHECK(scene.wait_for_end() == 0);
  std::ifstream file{path};
  std::map<std::int64_t, std::string> processes;
  std::vector<arrow> arrows;
  const auto spans = spans_of(json::parse(file), processes, &arrows);
  std::map<std::string, int> tasks;
  std::map<std::string, int> starts;
  for (const auto& each : arrows) {
    CAPTURE(each.name);
    CAPTURE(processes[each.to.pid]);
    CHECK(processes[each.from.pid] == "root");
    CHECK(each.from.begin <= each.to.begin);
    if (each.name == "task") {
      CHECK(is_inside(spans, each.from, "gives tasks to a pool"));
      CHECK(is_inside(spans, each.to, "nap"));
      ++tasks[processes[each.to.pid]];
    } else {
      CHECK(each.name == "start");
      CHECK(is_inside(spans, each.from, "starts a process"));
      CHECK(is_inside(spans, each.to, "process"));
      ++starts[processes[each.to.pid]];
    }
  }
  CHECK(tasks["bakery-1"] + tasks["bakery-2"] == 8);
  CHECK(tasks.size() == 2);
  for (const auto* name : {"holder", "next", "bakery-1", "bakery-2"})
    CHECK(starts[name] == 1);
}

TEST_CASE("a process that nobody has looked at has its name in a trace") {
  const troupe::test::folder folder;
  const auto path = (folder.path() / "trace.json").string();
  stage scene{{TROUPE_WORK_ROLE, "brief_processes"}};
  CHECK(scene.ask({"trace", path}).code == 0);
  CHECK(scene.wait_for_end() == 0);
  std::ifstream file{path};
  std::map<std::int64_t, std::string> processes;
  static_cast<void>(spans_of(json::parse(file), processes));
  for (int i = 0; i < 20; ++i) {
    const auto name = "a process with number " + std::to_string(i);
    CHECK(std::any_of(processes.begin(), processes.end(),
                      [&](const auto& each) { return each.second == name; }));
  }
}

TEST_CASE("what a program waits for already is in its trace") {
  const troupe::test::folder folder;
  const auto path = (folder.path() / "trace.json").string();
  const stage scene{{TROUPE_STALL_ROLE, "two_locks"}};
  static_cast<void>(scene.ask_when_stalled({"ps"}));
  CHECK(scene.ask({"trace", path, "--for", "0.2"}).code == 0);
  std::ifstream file{path};
  std::map<std::int64_t, std::string> processes;
  const auto spans = spans_of(json::parse(file), processes);
  for (const auto* name : {"accounts", "audit"})
    CHECK(std::any_of(spans.begin(), spans.end(), [&](const auto& each) {
      return processes[each.pid] == name
             && each.name.starts_with("waits for mutex") && each.lasted > 1e5;
    }));
}

TEST_CASE("a file that cannot be written is told") {
  const stage scene{{TROUPE_STALL_ROLE, "slow_holder"}};
  const auto trace = scene.ask({"trace", "/nowhere/trace.json"});
  CHECK(trace.code == 1);
  CHECK(trace.has({"/nowhere/trace.json cannot be written."}));
}
