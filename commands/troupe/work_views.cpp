// SPDX-License-Identifier: BSL-1.0
// What pools and actors have to do.
#include "table.hpp"
#include "view_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::command {

namespace {

using inspection::pool_record;
using inspection::process_record;
using inspection::snapshot;
using inspection::worker_record;
using memory::slot_state;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}

std::string percent(std::chrono::nanoseconds part,
                    std::chrono::nanoseconds of) {
  return of.count() <= 0 ? "" : fmt::format("{} %", part * 100 / of);
}

std::string start_text(const process_record& of) {
  if (!of.requested || !of.began)
    return {};
  return fmt::format("{:.0f} ms",
                     std::max(seconds(*of.began - *of.requested), 0.0) * 1e3);
}

/// Its workers, and those of its owner's children that are about to be some.
std::vector<const process_record*>
workers_of(const snapshot& of, const inspection::object_record& object,
           const pool_record& pool) {
  std::vector<const process_record*> result;
  // Of "orders main.cpp:4" the name is the first word; a pool has no place.
  const auto begin = object.origin + "-";
  for (const auto& each : of.processes) {
    const bool is_one = each.worker && each.worker->results == pool.results;
    const bool may_be = !each.worker && each.parent == object.creator
                        && each.state < slot_state::running
                        && each.name.starts_with(begin);
    if (is_one || may_be)
      result.push_back(&each);
  }
  std::sort(result.begin(), result.end(), [](const auto* a, const auto* b) {
    const auto index = [](const auto* each) {
      return each->worker ? each->worker->index : ~0U;
    };
    return std::pair{index(a), a->slot} < std::pair{index(b), b->slot};
  });
  return result;
}

/// Tasks done in a second, between the two looks.
double finished_rate(const looked& of, std::uint64_t id,
                     const pool_record& pool) {
  if (of.before)
    if (const auto* same = of.before->object(id))
      if (const auto* earlier = std::get_if<pool_record>(&same->content))
        return rate(of, earlier->finished, pool.finished);
  return 0;
}

std::uint64_t open_tasks(const pool_record& pool) {
  return pool.submitted - std::min(pool.finished, pool.submitted);
}

std::string pool_text(const looked& of, const inspection::object_record& object,
                      const pool_record& pool) {
  return fmt::format("{} of {}: {} tasks given, {} done ({} a second), {} "
                     "open; {} {} for a worker; {} processes started",
                     object.description(), name_of(of.run, object.creator),
                     pool.submitted, pool.finished,
                     rate_text(finished_rate(of, object.id, pool)),
                     open_tasks(pool), pool.waiting,
                     pool.waiting == 1 ? "chunk waits" : "chunks wait",
                     pool.started);
}

std::vector<std::string> worker_row(const snapshot& run,
                                    const process_record& process) {
  if (!process.worker)
    return {process.name,
            std::to_string(process.pid),
            state_text(process.state),
            process.requested ? duration_text(age(run, *process.requested))
                              : "",
            "",
            "",
            "",
            "",
            ""};
  const auto& worker = *process.worker;
  const bool runs = !worker.function.empty();
  const auto both = worker.busy + worker.idle;
  return {process.name,
          std::to_string(process.pid),
          process.state != slot_state::running ? state_text(process.state)
          : is_stopped(process)                ? "is stopped"
          : runs                               ? worker.function
                                               : "waits for a task",
          duration_text(age(run, worker.since)),
          std::to_string(worker.tasks),
          percent(worker.busy, both),
          percent(worker.idle, both),
          start_text(process),
          runs ? waits_text(run, process) : ""};
}

json worker_data(const snapshot& run, const process_record& process) {
  json result{{"slot", process.slot},
              {"pid", process.pid},
              {"name", process.name}};
  if (!process.worker) {
    result["does"] = "starting";
    return result;
  }
  const auto& worker = *process.worker;
  const bool runs = !worker.function.empty();
  result["does"] = runs ? "runs" : "waits";
  if (runs)
    result["function"] = worker.function;
  result["since_seconds"] = static_cast<double>(age(run, worker.since)) / 1e9;
  result["tasks"] = worker.tasks;
  result["busy_seconds"] = seconds(worker.busy);
  result["idle_seconds"] = seconds(worker.idle);
  if (process.requested && process.began)
    result["started_in_seconds"] = seconds(*process.began - *process.requested);
  return result;
}

} // namespace

view pools_view(const looked& of) {
  const auto& run = of.run;
  view result;
  json list = json::array();
  for (const auto& each : run.objects) {
    const auto* pool = std::get_if<pool_record>(&each.content);
    if (pool == nullptr)
      continue;
    table rows{{"WORKER", "PID", "DOES", "FOR", "TASKS", "BUSY", "IDLE",
                "STARTED IN", "WAITS FOR"}};
    json workers = json::array();
    for (const auto* one : workers_of(run, each, *pool)) {
      rows.add(worker_row(run, *one));
      workers.push_back(worker_data(run, *one));
    }
    result.text += printable((result.text.empty() ? "" : "\n")
                             + pool_text(of, each, *pool))
                   + '\n' + rows.text();
    list.push_back({{"id", each.id},
                    {"name", each.origin},
                    {"owner", each.creator},
                    {"size", pool->workers},
                    {"submitted", pool->submitted},
                    {"finished", pool->finished},
                    {"open", open_tasks(*pool)},
                    {"chunks_waiting", pool->waiting},
                    {"processes_started", pool->started},
                    {"workers", std::move(workers)}});
  }
  if (list.empty())
    result.text = "the run has no pools\n";
  result.data = {{"run", run_data(run)}, {"pools", list}};
  return result;
}

view actors_view(const looked& of) {
  const auto& run = of.run;
  table rows{{"PROCESS", "ACTORS", "QUEUED", "HANDLED", "AS OF",
              "IN THE HANDLER OF", "FOR", "WAITS FOR"}};
  json list = json::array();
  for (const auto& each : run.processes) {
    if (!each.actors)
      continue;
    const auto& actors = *each.actors;
    json handlers = json::array();
    std::vector<std::string> cells{
      each.description(), std::to_string(actors.running),
      std::to_string(actors.queued), std::to_string(actors.handled),
      duration_text(std::max<std::int64_t>(age(run, actors.noted), 0))
        + " ago"};
    if (actors.handlers.empty()) {
      auto row = cells;
      row.insert(row.end(), {"", "", ""});
      rows.add(std::move(row));
    }
    for (const auto& handler : actors.handlers) {
      const auto wait = std::find_if(run.waits.begin(), run.waits.end(),
                                     [&](const auto& one) {
                                       return one.slot == each.slot
                                              && one.thread == handler.thread
                                              && !memory::is_own_wait(one.kind);
                                     });
      const auto waits = wait == run.waits.end()
                           ? std::string{}
                           : inspection::what_for(run, *wait);
      auto row = cells;
      row.insert(row.end(),
                 {fmt::format("actor {}{}", handler.actor,
                              handler.type.empty()
                                ? ""
                                : fmt::format(" ({})", handler.type)),
                  duration_text(age(run, handler.since)), waits});
      rows.add(std::move(row));
      // The next ones of the same process.
      std::fill(cells.begin(), cells.end(), "");
      json data{{"actor", handler.actor},
                {"thread", handler.thread},
                {"since_seconds",
                 static_cast<double>(age(run, handler.since)) / 1e9}};
      if (!handler.type.empty())
        data["type"] = handler.type;
      if (!waits.empty())
        data["waits_for"] = waits;
      handlers.push_back(std::move(data));
    }
    list.push_back(
      {{"slot", each.slot},
       {"pid", each.pid},
       {"name", each.name},
       {"running", actors.running},
       {"queued", actors.queued},
       {"handled", actors.handled},
       {"noted_seconds_ago", static_cast<double>(age(run, actors.noted)) / 1e9},
       {"handlers", std::move(handlers)}});
  }
  return {rows.empty() ? "the run has no actors\n" : rows.text(),
          {{"run", run_data(run)}, {"actors", list}}};
}

} // namespace troupe::command
