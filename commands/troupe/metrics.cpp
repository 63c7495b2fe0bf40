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

namespace {

/// All numbers, of whatever runs were added.
class all_metrics {
public:
  void add(const looked& each) {
    const auto& run = each.run;
    processes_.add(run, "",
                   std::count_if(run.processes.begin(), run.processes.end(),
                                 [](const auto& process) {
                                   return process.state != slot_state::dead;
                                 }));
    used_.add(run, "", run.used);
    reserved_.add(run, "", run.reserved);
    stalled_.add(run, "",
                 std::count_if(each.stalls.stalled.begin(),
                               each.stalls.stalled.end(), [&](const auto& one) {
                                 return !memory::is_own_wait(
                                   run.waits[one.wait].kind);
                               }));
    for (const auto& process : run.processes)
      if (process.fact)
        add(run, process);
    for (const auto& object : run.objects)
      add(run, object);
  }

  [[nodiscard]] std::string text() const {
    std::string result;
    for (const auto* each :
         {&processes_, &used_,      &reserved_, &stalled_,  &cpu_,  &resident_,
          &waiting_,   &waited_,    &depth_,    &not_done_, &put_,  &taken_,
          &owners_,    &submitted_, &finished_, &busy_,     &idle_, &tasks_,
          &actors_,    &queued_,    &handled_})
      result += each->text();
    return result;
  }

private:
  void add(const inspection::snapshot& run,
           const inspection::process_record& process) {
    const auto labels = process_labels(process);
    cpu_.add(run, labels, static_cast<double>(process.fact->cpu_time) / 1e9);
    resident_.add(run, labels, process.fact->resident);
    std::chrono::nanoseconds all_waits{0};
    for (std::size_t kind = 0; kind < process.waited.size(); ++kind)
      if (!memory::is_own_wait(static_cast<memory::wait_kind>(kind)))
        all_waits += process.waited[kind];
    waited_.add(run, labels, seconds(all_waits));
    if (process.worker) {
      busy_.add(run, labels, seconds(process.worker->busy));
      idle_.add(run, labels, seconds(process.worker->idle));
      tasks_.add(run, labels, process.worker->tasks);
    }
    if (process.actors) {
      actors_.add(run, labels, process.actors->running);
      queued_.add(run, labels, process.actors->queued);
      handled_.add(run, labels, process.actors->handled);
    }
    waiting_.add(
      run, labels,
      std::count_if(run.waits.begin(), run.waits.end(), [&](const auto& wait) {
        return wait.slot == process.slot && !memory::is_own_wait(wait.kind);
      }));
  }

  void add(const inspection::snapshot& run,
           const inspection::object_record& object) {
    const auto labels = object_labels(object);
    if (const auto* queue
        = std::get_if<inspection::queue_record>(&object.content)) {
      depth_.add(run, labels, queue->depth);
      not_done_.add(run, labels, queue->unfinished);
      put_.add(run, labels, queue->put);
      taken_.add(run, labels, queue->taken);
    } else if (const auto* pool
               = std::get_if<inspection::pool_record>(&object.content)) {
      submitted_.add(run, labels, pool->submitted);
      finished_.add(run, labels, pool->finished);
    } else if (const auto* lock
               = std::get_if<inspection::lock_record>(&object.content)) {
      owners_.add(run, labels, lock->fence);
    }
  }

  metric processes_{"troupe_processes", "gauge",
                    "Living processes of the run."};
  metric used_{"troupe_memory_used_bytes", "gauge",
               "Memory that the run really uses."};
  metric reserved_{"troupe_memory_reserved_bytes", "gauge",
                   "Memory that its objects reserve."};
  metric stalled_{"troupe_stalled_threads", "gauge",
                  "Threads that stand still for ever."};
  metric cpu_{"troupe_process_cpu_seconds_total", "counter",
              "Time of a process on a processor."};
  metric resident_{"troupe_process_resident_bytes", "gauge",
                   "Memory that a process has mapped and that is there."};
  metric waiting_{"troupe_process_waiting_threads", "gauge",
                  "Threads of a process that wait for others."};
  metric depth_{"troupe_queue_depth", "gauge", "Items in a queue."};
  metric not_done_{"troupe_queue_not_done", "gauge",
                   "Items put into a queue and not said to be done."};
  metric owners_{"troupe_lock_owners_total", "counter",
                 "How often a lock was taken."};
  metric put_{"troupe_queue_put_total", "counter", "Items put into a queue."};
  metric taken_{"troupe_queue_taken_total", "counter",
                "Items taken from a queue."};
  metric waited_{"troupe_process_waited_seconds_total", "counter",
                 "Time that threads of a process have slept in waits that are "
                 "over."};
  metric submitted_{"troupe_pool_tasks_submitted_total", "counter",
                    "Tasks given to a pool."};
  metric finished_{"troupe_pool_tasks_finished_total", "counter",
                   "Tasks of a pool that are over."};
  metric busy_{"troupe_worker_busy_seconds_total", "counter",
               "Time that a worker of a pool has run tasks."};
  metric idle_{"troupe_worker_idle_seconds_total", "counter",
               "Time that a worker of a pool has waited for tasks."};
  metric tasks_{"troupe_worker_tasks_total", "counter",
                "Tasks that a worker of a pool has reported."};
  metric actors_{"troupe_actors", "gauge",
                 "Actors of a process, as its hub has noted last."};
  metric queued_{"troupe_actor_messages_queued", "gauge",
                 "Messages that wait for actors of a process."};
  metric handled_{"troupe_actor_messages_handled_total", "counter",
                  "Messages that actors of a process have handled."};
};

} // namespace

std::string metrics_text(const std::vector<looked>& runs) {
  all_metrics all;
  for (const auto& each : runs)
    all.add(each);
  return all.text();
}

} // namespace troupe::command
