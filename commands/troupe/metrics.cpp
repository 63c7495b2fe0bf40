// SPDX-License-Identifier: BSL-1.0
#include "metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace troupe::command {

namespace {

using inspection::snapshot;
using memory::slot_state;

/// A label's value: quotes, backslashes and line ends are written otherwise.
std::string label(std::string_view value) {
  std::string result;
  for (const char each : value)
    if (each == '\\' || each == '"')
      result += {'\\', each};
    else if (each == '\n')
      result += "\\n";
    else
      result += each;
  return result;
}

std::int32_t root_of(const snapshot& of) {
  const auto* root = of.process(0);
  return root == nullptr ? 0 : root->pid;
}

/// One metric: its two lines of comment, and a line for each value.
class metric {
public:
  metric(std::string name, std::string_view type, std::string_view help)
    : name_(std::move(name)),
      text_(
        fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help, type)) {
  }

  template <class Value>
  void add(const snapshot& of, std::string_view more, Value value) {
    text_ += fmt::format("{}{{run=\"{}\"{}}} {}\n", name_, root_of(of), more,
                         value);
  }

  [[nodiscard]] const std::string& text() const noexcept {
    return text_;
  }

private:
  std::string name_;
  std::string text_;
};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}

std::string process_labels(const inspection::process_record& of) {
  return fmt::format(",pid=\"{}\",name=\"{}\"", of.pid, label(of.name));
}

std::string object_labels(const inspection::object_record& of) {
  return fmt::format(",id=\"{}\",origin=\"{}\"", of.id, label(of.origin));
}

} // namespace

std::string metrics_text(const std::vector<looked>& runs) {
  metric processes{"troupe_processes", "gauge", "Living processes of the run."};
  metric used{"troupe_memory_used_bytes", "gauge",
              "Memory that the run really uses."};
  metric reserved{"troupe_memory_reserved_bytes", "gauge",
                  "Memory that its objects reserve."};
  metric stalled{"troupe_stalled_threads", "gauge",
                 "Threads that stand still for ever."};
  metric cpu{"troupe_process_cpu_seconds_total", "counter",
             "Time of a process on a processor."};
  metric resident{"troupe_process_resident_bytes", "gauge",
                  "Memory that a process has mapped and that is there."};
  metric waiting{"troupe_process_waiting_threads", "gauge",
                 "Threads of a process that wait for others."};
  metric depth{"troupe_queue_depth", "gauge", "Items in a queue."};
  metric not_done{"troupe_queue_not_done", "gauge",
                  "Items put into a queue and not said to be done."};
  metric owners{"troupe_lock_owners_total", "counter",
                "How often a lock was taken."};
  metric put{"troupe_queue_put_total", "counter", "Items put into a queue."};
  metric taken{"troupe_queue_taken_total", "counter",
               "Items taken from a queue."};
  metric waited{"troupe_process_waited_seconds_total", "counter",
                "Time that threads of a process have slept in waits that are "
                "over."};
  metric submitted{"troupe_pool_tasks_submitted_total", "counter",
                   "Tasks given to a pool."};
  metric finished{"troupe_pool_tasks_finished_total", "counter",
                  "Tasks of a pool that are over."};
  metric busy{"troupe_worker_busy_seconds_total", "counter",
              "Time that a worker of a pool has run tasks."};
  metric idle{"troupe_worker_idle_seconds_total", "counter",
              "Time that a worker of a pool has waited for tasks."};
  metric tasks{"troupe_worker_tasks_total", "counter",
               "Tasks that a worker of a pool has reported."};
  metric actors{"troupe_actors", "gauge",
                "Actors of a process, as its hub has noted last."};
  metric queued{"troupe_actor_messages_queued", "gauge",
                "Messages that wait for actors of a process."};
  metric handled{"troupe_actor_messages_handled_total", "counter",
                 "Messages that actors of a process have handled."};
  for (const auto& each : runs) {
    const auto& run = each.run;
    processes.add(run, "",
                  std::count_if(run.processes.begin(), run.processes.end(),
                                [](const auto& process) {
                                  return process.state != slot_state::dead;
                                }));
    used.add(run, "", run.used);
    reserved.add(run, "", run.reserved);
    stalled.add(run, "",
                std::count_if(each.stalls.stalled.begin(),
                              each.stalls.stalled.end(), [&](const auto& one) {
                                return !memory::is_own_wait(
                                  run.waits[one.wait].kind);
                              }));
    for (const auto& process : run.processes) {
      if (!process.fact)
        continue;
      const auto labels = process_labels(process);
      cpu.add(run, labels, static_cast<double>(process.fact->cpu_time) / 1e9);
      resident.add(run, labels, process.fact->resident);
      std::chrono::nanoseconds all_waits{0};
      for (std::size_t kind = 0; kind < process.waited.size(); ++kind)
        if (!memory::is_own_wait(static_cast<memory::wait_kind>(kind)))
          all_waits += process.waited[kind];
      waited.add(run, labels, seconds(all_waits));
      if (process.worker) {
        busy.add(run, labels, seconds(process.worker->busy));
        idle.add(run, labels, seconds(process.worker->idle));
        tasks.add(run, labels, process.worker->tasks);
      }
      if (process.actors) {
        actors.add(run, labels, process.actors->running);
        queued.add(run, labels, process.actors->queued);
        handled.add(run, labels, process.actors->handled);
      }
      waiting.add(run, labels,
                  std::count_if(run.waits.begin(), run.waits.end(),
                                [&](const auto& wait) {
                                  return wait.slot == process.slot
                                         && !memory::is_own_wait(wait.kind);
                                }));
    }
    for (const auto& object : run.objects) {
      const auto labels = object_labels(object);
      if (const auto* queue
          = std::get_if<inspection::queue_record>(&object.content)) {
        depth.add(run, labels, queue->depth);
        not_done.add(run, labels, queue->unfinished);
        put.add(run, labels, queue->put);
        taken.add(run, labels, queue->taken);
      } else if (const auto* pool
                 = std::get_if<inspection::pool_record>(&object.content)) {
        submitted.add(run, labels, pool->submitted);
        finished.add(run, labels, pool->finished);
      } else if (const auto* lock
                 = std::get_if<inspection::lock_record>(&object.content)) {
        owners.add(run, labels, lock->fence);
      }
    }
  }
  std::string result;
  for (const auto* each :
       {&processes, &used,  &reserved, &stalled, &cpu,    &resident, &waiting,
        &waited,    &depth, &not_done, &put,     &taken,  &owners,   &submitted,
        &finished,  &busy,  &idle,     &tasks,   &actors, &queued,   &handled})
    result += each->text();
  return result;
}

} // namespace troupe::command
