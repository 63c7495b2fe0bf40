// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/supervision/supervisor_core.hpp>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::test {

using supervision::awaited;
using supervision::child_end;
using supervision::child_number;
using supervision::child_phase;
using supervision::child_process;
using supervision::end_cause;
using supervision::end_notice;
using supervision::step;
using supervision::supervisor_core;

/// A supervisor core whose children are names, and whose clock goes when it is
/// told to. What the core says is noted as words: "start a", "end b", "kill b".
class script {
public:
  using clock = supervision::clock;

  explicit script(const supervisor_core::settings& how = {}) : core(how) {
  }

  void add(supervision::child_policy policy) {
    const std::string id = policy.id;
    numbers[id] = core.add("add '" + id + "'", std::move(policy));
  }

  void add(const char* id) {
    supervision::child_policy usual;
    usual.id = id;
    add(std::move(usual));
  }

  /// Several, which start at once.
  void run(const std::vector<std::string>& ids) {
    for (const auto& each : ids)
      add(each.c_str());
    settle();
    said.clear();
  }

  /// Does what the core says until that waits for something. Starts come back
  /// at once, unless they are said to hang or to fail, and children end at once
  /// when they are told, unless they are deaf.
  void settle() {
    for (;;)
      if (const auto next = core.next(now))
        carry_out(*next);
      else if (!answer())
        return;
  }

  /// As `settle`, and deals with deaths, and with starts that failed.
  void settle_all() {
    do
      settle();
    while (core.judge_next(now) || core.retry_next(now));
  }

  void die(const std::string& id, child_end how = {}) {
    if (how.reason.empty())
      how.reason = "died";
    core.ended(numbers.at(id), std::move(how), now);
  }

  void pass(clock::duration time) {
    now += time;
    settle();
  }

  /// What was said since the last call.
  std::vector<std::string> words() {
    return std::exchange(said, {});
  }

  [[nodiscard]] child_phase phase(const std::string& id) const {
    return core.find(id).phase;
  }

  supervisor_core core;
  clock::time_point now = clock::time_point{} + std::chrono::hours{1};
  std::map<std::string, child_number> numbers;
  std::vector<restart_report> reports;
  /// Children whose start fails, hangs, or does not become what it should.
  std::vector<std::string> failing;
  std::vector<std::string> hanging;
  std::vector<std::string> in_vain;
  /// Children that do not end when they are told to, or at all, and those whose
  /// process stays.
  std::vector<std::string> deaf;
  std::vector<std::string> immortal;
  std::vector<std::string> lingering;
  child_process process = child_process::none;

private:
  static bool has(const std::vector<std::string>& those,
                  const std::string& one) {
    for (const auto& each : those)
      if (each == one)
        return true;
    return false;
  }

  [[nodiscard]] std::string name_of(child_number which) const {
    for (const auto& [name, number] : numbers)
      if (number == which)
        return name;
    return "?";
  }

  void carry_out(const step& what) {
    const auto id = name_of(what.child);
    switch (what.what) {
      case step::kind::start:
        say("start", id);
        starts[what.start] = id;
        if (has(in_vain, id))
          core.started_in_vain(what.child, process, "no name is free");
        else if (has(failing, id))
          core.start_failed(what.child, "no start today");
        else if (!has(hanging, id))
          core.started(what.child, process);
        return;
      case step::kind::give_up_start: return say("give up start", id);
      case step::kind::abandon_start:
        say("abandon start", id);
        return core.start_failed(what.child, "hung");
      case step::kind::end: return say("end", id);
      case step::kind::kill:
        say("kill", id);
        std::erase(deaf, id);
        std::erase(lingering, id);
        return;
      case step::kind::kill_leftover:
        std::erase(lingering, starts.at(what.start));
        return say("kill leftover", starts.at(what.start));
      case step::kind::forget: return say("forget", id);
      case step::kind::report:
        say("report", what.report.child);
        reports.push_back(what.report);
        return;
      case step::kind::give_up: return say("give up", id);
    }
  }

  /// Lets what the core waits for happen, if it may. Returns whether it did.
  bool answer() {
    const auto event = core.awaits();
    if (!event)
      return false;
    const auto id = event->what == awaited::kind::process
                      ? starts.at(event->start)
                      : name_of(event->child);
    if (has(immortal, id) || event->what == awaited::kind::start)
      return false;
    if (event->what == awaited::kind::process) {
      if (has(lingering, id))
        return false;
      say("gone", id);
      core.process_gone(event->start);
      return true;
    }
    if (has(deaf, id))
      return false;
    core.ended(event->child, {}, now);
    return true;
  }

  void say(std::string_view what, const std::string& whom) {
    said.push_back(std::string{what} + ' ' + whom);
  }

  std::vector<std::string> said;
  std::map<supervision::start_number, std::string> starts;
};

using words = std::vector<std::string>;

} // namespace troupe::test
