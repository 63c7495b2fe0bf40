// SPDX-License-Identifier: BSL-1.0
#include "tracing.hpp"

#include "table.hpp"

#include <troupe/base/error.hpp>
#include <troupe/inspection/trace_reader.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::command {

namespace {

using inspection::snapshot;
using inspection::time_point;
using inspection::traced_event;
using json = nlohmann::ordered_json;
using memory::trace_kind;

constexpr std::chrono::milliseconds between_reads{20};
constexpr std::chrono::milliseconds between_looks{250};

volatile std::sig_atomic_t asked_to_end = 0;

bool is_of_own_wait(const traced_event& event) noexcept {
  return (event.kind == trace_kind::wait_begins
          || event.kind == trace_kind::wait_ends)
         && memory::is_own_wait(event.wait);
}

/// Trace events in JSON, as Chrome has defined them and Perfetto reads them.
class trace_file {
public:
  explicit trace_file(const std::string& name) : to_(name) {
    if (!to_)
      throw refusal(fmt::format("{} cannot be written.", name));
    to_ << "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  }

  /// Returns whether all of it could be written.
  [[nodiscard]] bool close() {
    to_ << "\n]}\n";
    to_.close();
    return !to_.fail();
  }

  void add(const json& event) {
    to_ << (first_ ? "\n" : ",\n")
        << event.dump(-1, ' ', false, json::error_handler_t::replace);
    first_ = false;
  }

private:
  std::ofstream to_;
  bool first_ = true;
};

class tracer {
public:
  tracer(const inspection::run_entry& run, const std::string& file)
    : run_(run), begin_(std::chrono::steady_clock::now()), to_(file) {
  }

  /// Looks at who is there; returns whether anybody is.
  [[nodiscard]] bool look() {
    auto result = inspection::look_at(run_.file);
    if (!result.seen)
      throw refusal(fmt::format("{}: {}.", describe(run_), result.refusal));
    const bool first = !seen_;
    seen_ = std::move(*result.seen);
    bool anybody = false;
    for (const auto& each : seen_->processes) {
      // One that has ended may wait for its parent to hear of that.
      if (!each.fact || each.fact->state == 'Z')
        continue;
      anybody = true;
      auto& known = processes_[each.slot];
      if (known.pid == each.pid && known.name == each.name)
        continue;
      introduce(known, each.pid, each.name);
    }
    if (first)
      begin_what_lasts();
    return anybody;
  }

  void add(const std::vector<traced_event>& events) {
    // Names of those that have begun, while they are there.
    if (std::any_of(events.begin(), events.end(), [](const auto& each) {
          return each.kind == trace_kind::process_begins;
        }))
      static_cast<void>(look());
    for (const auto& each : events)
      add(each);
  }

  /// Ends what still lasts. Returns whether the file could be written.
  [[nodiscard]] bool close() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& [thread, spans] : open_)
      while (!spans.empty())
        end(thread, spans, now);
    return to_.close();
  }

  [[nodiscard]] std::uint64_t spans() const noexcept {
    return written_;
  }

private:
  struct known_process {
    std::int32_t pid = 0;
    std::string name;
  };

  void introduce(known_process& known, std::int32_t pid,
                 const std::string& name) {
    known = {pid, name};
    to_.add({{"name", "process_name"},
             {"ph", "M"},
             {"pid", pid},
             {"tid", pid},
             {"args", {{"name", printable(name)}}}});
  }

  struct span {
    trace_kind kind;
    std::string name;
    const char* category;
    time_point begin;
    json arguments;
  };

  using thread_key = std::pair<std::int32_t, std::int32_t>;
  /// Of the event that begins it, with its `link`.
  using link_key = std::pair<trace_kind, std::uint64_t>;

  [[nodiscard]] std::int32_t pid_of(std::uint32_t slot,
                                    std::int32_t thread) const {
    const auto found = processes_.find(slot);
    return found == processes_.end() ? thread : found->second.pid;
  }

  [[nodiscard]] double moment(time_point when) const {
    return std::chrono::duration<double, std::micro>{when - begin_}.count();
  }

  /// Waits that had begun before.
  void begin_what_lasts() {
    for (const auto& each : seen_->waits) {
      traced_event event;
      event.kind = trace_kind::wait_begins;
      event.when = std::max(each.since, begin_);
      event.slot = each.slot;
      event.thread = each.thread;
      event.wait = each.kind;
      if (!each.targets.empty())
        event.target = each.targets.front();
      add(event);
    }
    for (const auto& each : seen_->processes) {
      if (!each.worker || each.worker->function.empty())
        continue;
      traced_event event;
      event.kind = trace_kind::task_begins;
      event.when = begin_;
      event.slot = each.slot;
      event.thread = each.pid;
      event.function = each.worker->function;
      // Below a wait that is inside of it.
      auto& spans = open_[{each.pid, each.pid}];
      spans.insert(spans.begin(), {event.kind, event.function, "task",
                                   event.when, json::object()});
    }
  }

  void add(const traced_event& event) {
    if (event.kind == trace_kind::none || is_of_own_wait(event))
      return;
    if (event.kind == trace_kind::process_name) {
      add_to_name(event);
      return;
    }
    if (event.kind == trace_kind::process_begins) {
      auto& known = processes_[event.slot];
      // One that has ended already, unseen.
      if (known.pid != event.thread)
        introduce(known, event.thread, names_[event.slot]);
    }
    const auto pid = event.kind == trace_kind::process_ends
                       ? event.thread
                       : pid_of(event.slot, event.thread);
    const thread_key thread{pid, event.thread};
    auto& spans = open_[thread];
    switch (event.kind) {
      case trace_kind::wait_begins: begin_wait(event, spans); break;
      case trace_kind::submit_begins:
        begin_cause(event, "gives tasks to a pool", "task", thread, spans);
        break;
      case trace_kind::start_begins:
        begin_cause(event, "starts a process", "process", thread, spans);
        break;
      case trace_kind::chunk_taken: taken_[thread] = event.link; break;
      case trace_kind::task_begins: begin_task(event, thread, spans); break;
      case trace_kind::actor_begins: begin_actor(event, spans); break;
      case trace_kind::process_begins:
        begin_process(event, thread, spans);
        break;
      case trace_kind::process_ends: end_all_of(pid, event.when); break;
      case trace_kind::submit_ends:
        end_as_far_as(trace_kind::submit_begins, thread, spans, event.when);
        break;
      case trace_kind::start_ends:
        end_as_far_as(trace_kind::start_begins, thread, spans, event.when);
        break;
      case trace_kind::wait_ends:
        end_as_far_as(trace_kind::wait_begins, thread, spans, event.when);
        break;
      case trace_kind::task_ends:
        end_as_far_as(trace_kind::task_begins, thread, spans, event.when);
        break;
      case trace_kind::actor_ends:
        end_as_far_as(trace_kind::actor_begins, thread, spans, event.when);
        break;
      case trace_kind::process_name:
      case trace_kind::none: break;
    }
  }

  /// A part of the name of a process that is about to begin.
  void add_to_name(const traced_event& event) {
    auto& name = names_[event.slot];
    if (event.part == 0)
      name.clear();
    name += event.name;
  }

  void begin_wait(const traced_event& event, std::vector<span>& spans) {
    // It was seen by a look already: a thread has one at a time.
    if (!spans.empty() && spans.back().kind == trace_kind::wait_begins)
      spans.pop_back();
    spans.push_back({event.kind, "waits for " + text_of(event), "wait",
                     event.when, json::object()});
  }

  /// What an arrow may come from: see `point`.
  void begin_cause(const traced_event& event, const char* does,
                   const char* category, const thread_key& thread,
                   std::vector<span>& spans) {
    begun_[{event.kind, event.link}] = {thread, event.when};
    spans.push_back({event.kind, does, category, event.when, json::object()});
  }

  void begin_task(const traced_event& event, const thread_key& thread,
                  std::vector<span>& spans) {
    if (const auto taken = taken_.find(thread); taken != taken_.end()) {
      point("task", {trace_kind::submit_begins, taken->second}, thread,
            event.when);
      taken_.erase(taken);
    }
    end_as_far_as(trace_kind::task_begins, thread, spans, event.when);
    spans.push_back({event.kind,
                     event.function.empty() ? "a task" : event.function, "task",
                     event.when, json::object()});
  }

  void begin_actor(const traced_event& event, std::vector<span>& spans) {
    spans.push_back({event.kind,
                     fmt::format("actor {}", event.actor),
                     "actor",
                     event.when,
                     {{"actor", event.actor}}});
  }

  void begin_process(const traced_event& event, const thread_key& thread,
                     std::vector<span>& spans) {
    point("start", {trace_kind::start_begins, event.link}, thread, event.when);
    spans.insert(spans.begin(), {event.kind, "process", "process", event.when,
                                 json::object()});
  }

  /// All threads of a process that has ended have ended with it.
  void end_all_of(std::int32_t pid, time_point when) {
    for (auto& [thread, spans] : open_)
      while (thread.first == pid && !spans.empty())
        end(thread, spans, when);
  }

  /// An arrow to the span that begins then, from that in which it was caused;
  /// none if that was before the trace. It is written once both ends are known.
  void point(const char* name, const link_key& link, const thread_key& to,
             time_point when) {
    const auto found = begun_.find(link);
    if (found == begun_.end())
      return;
    const auto [from, begin] = found->second;
    begun_.erase(found);
    ++arrows_;
    const auto end_of_arrow = [&](const char* phase, const thread_key& thread,
                                  time_point at) {
      return json{{"name", name},        {"cat", "cause"},
                  {"ph", phase},         {"id", arrows_},
                  {"pid", thread.first}, {"tid", thread.second},
                  {"ts", moment(at)}};
    };
    to_.add(end_of_arrow("s", from, begin));
    auto end = end_of_arrow("f", to, std::max(when, begin));
    // To the span around it, and not to the next one.
    end["bp"] = "e";
    to_.add(end);
  }

  /// Ends the innermost of that kind and what is inside of it; nothing if it
  /// has begun before the trace did.
  void end_as_far_as(trace_kind kind, const thread_key& thread,
                     std::vector<span>& spans, time_point when) {
    if (std::none_of(spans.begin(), spans.end(),
                     [&](const auto& each) { return each.kind == kind; }))
      return;
    bool last = false;
    while (!last) {
      last = spans.back().kind == kind;
      end(thread, spans, when);
    }
  }

  void end(const thread_key& thread, std::vector<span>& spans,
           time_point when) {
    auto ended = std::move(spans.back());
    spans.pop_back();
    const auto begin = moment(ended.begin);
    json event{{"name", printable(std::move(ended.name))},
               {"cat", ended.category},
               {"ph", "X"},
               {"pid", thread.first},
               {"tid", thread.second},
               {"ts", begin},
               {"dur", std::max(moment(when) - begin, 0.0)}};
    if (!ended.arguments.empty())
      event["args"] = std::move(ended.arguments);
    to_.add(event);
    ++written_;
  }

  [[nodiscard]] std::string text_of(const traced_event& event) {
    inspection::wait_record wait;
    wait.slot = event.slot;
    wait.thread = event.thread;
    wait.kind = event.wait;
    if (event.target) {
      // One that was made since the last look.
      if (event.target->object != 0
          && seen_->object(event.target->object) == nullptr
          && unknown_ != event.target->object) {
        unknown_ = event.target->object;
        static_cast<void>(look());
      }
      wait.targets.push_back(*event.target);
    }
    return inspection::what_for(*seen_, wait);
  }

  const inspection::run_entry& run_;
  time_point begin_;
  trace_file to_;
  std::optional<snapshot> seen_;
  std::map<std::uint32_t, known_process> processes_;
  /// Of those that begin, by slot.
  std::map<std::uint32_t, std::string> names_;
  std::map<thread_key, std::vector<span>> open_;
  /// Arrows of which the other end is not known yet: in which thread they
  /// begin, and when.
  std::map<link_key, std::pair<thread_key, time_point>> begun_;
  /// Of which chunk each worker is about to begin a task.
  std::map<thread_key, std::uint64_t> taken_;
  std::uint64_t arrows_ = 0;
  memory::object_id unknown_ = 0;
  std::uint64_t written_ = 0;
};

} // namespace

int trace_run(const inspection::run_entry& run, const std::string& file,
              std::optional<std::chrono::duration<double>> limit) {
  tracer writing{run, file};
  std::optional<inspection::trace_reader> reader;
  try {
    reader.emplace(run.file);
  } catch (const error& failure) {
    throw refusal(fmt::format("{}.", failure.what()));
  }
  const auto begin = std::chrono::steady_clock::now();
  auto looked_at = begin;
  bool anybody = writing.look();
  for (const int number : {SIGINT, SIGTERM})
    std::signal(number, [](int) { asked_to_end = 1; });
  std::cout << fmt::format("tracing {}; Ctrl-C ends it\n", describe(run))
            << std::flush;
  bool last = false;
  while (!last) {
    const auto now = std::chrono::steady_clock::now();
    last = asked_to_end != 0 || !anybody || (limit && now - begin >= *limit);
    writing.add(reader->take());
    if (last)
      break;
    if (now - looked_at >= between_looks) {
      anybody = writing.look();
      looked_at = now;
    }
    std::this_thread::sleep_for(between_reads);
  }
  const auto lost = reader->lost();
  reader.reset();
  if (!writing.close())
    throw refusal(fmt::format("{} cannot be written to its end.", file));
  std::cout << fmt::format("{} spans are in {}", writing.spans(), file)
            << (lost != 0 ? fmt::format("; {} events were lost, for they came "
                                        "faster than they could be read",
                                        lost)
                          : "")
            << "; open it with https://ui.perfetto.dev or chrome://tracing\n";
  return exit_good;
}

} // namespace troupe::command
