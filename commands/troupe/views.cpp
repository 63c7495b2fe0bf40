// SPDX-License-Identifier: BSL-1.0
#include "views.hpp"

#include "table.hpp"
#include "view_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::command {

using inspection::object_record;
using inspection::process_record;
using inspection::snapshot;
using inspection::wait_record;
using memory::object_kind;
using memory::slot_state;
using memory::wait_kind;

std::int64_t age(const snapshot& of, inspection::time_point since) {
  return std::chrono::nanoseconds{of.taken - since}.count();
}

const char* state_text(slot_state state) {
  switch (state) {
    case slot_state::free: return "free";
    case slot_state::reserved:
    case slot_state::requested:
    case slot_state::starting: return "starting";
    case slot_state::running: return "running";
    case slot_state::dying: return "ending";
    case slot_state::dead: return "dead, not joined";
  }
  return "?";
}

/// What its threads wait for, its main thread's first.
std::vector<const wait_record*> waits_of(const snapshot& of,
                                         const process_record& process) {
  std::vector<const wait_record*> result;
  for (const auto& each : of.waits)
    if (each.slot == process.slot && !memory::is_own_wait(each.kind))
      result.push_back(&each);
  std::sort(result.begin(), result.end(), [&](const auto* a, const auto* b) {
    return std::pair{a->thread != process.pid, a->thread}
           < std::pair{b->thread != process.pid, b->thread};
  });
  return result;
}

std::string waits_text(const snapshot& of, const process_record& process) {
  std::string result;
  for (const auto* each : waits_of(of, process)) {
    if (!result.empty())
      result += "; ";
    result += fmt::format("{}, for {}", inspection::what_for(of, *each),
                          duration_text(age(of, each->since)));
    if (each->until)
      result += fmt::format(
        " of at most {}",
        duration_text(
          std::chrono::nanoseconds{*each->until - each->since}.count()));
  }
  return result;
}

namespace {

std::vector<const wait_record*>
waiters_of(const snapshot& of, const object_record& object, wait_kind kind) {
  std::vector<const wait_record*> result;
  for (const auto& each : of.waits)
    if (each.kind == kind
        && std::any_of(each.targets.begin(), each.targets.end(),
                       [&](const auto& target) {
                         return target.object == object.id;
                       }))
      result.push_back(&each);
  std::sort(result.begin(), result.end(), [](const auto* a, const auto* b) {
    return std::tuple{a->since, a->slot, a->thread}
           < std::tuple{b->since, b->slot, b->thread};
  });
  return result;
}

} // namespace

std::string name_of(const snapshot& of, std::uint32_t slot) {
  const auto* found = of.process(slot);
  return found == nullptr ? "?" : found->description();
}

namespace {

std::string names_of(const snapshot& of,
                     const std::vector<const wait_record*>& waits) {
  std::string result;
  for (const auto* each : waits)
    result += (result.empty() ? "" : ", ") + name_of(of, each->slot);
  return result;
}

std::string holders_text(const snapshot& of, const object_record& object) {
  std::string result;
  for (const auto slot : object.holders)
    result += (result.empty() ? "" : ", ") + name_of(of, slot);
  return result;
}

json holders_data(const object_record& object) {
  json result = json::array();
  for (const auto slot : object.holders)
    result.push_back(slot);
  return result;
}

json wait_data(const snapshot& of, const wait_record& wait) {
  json targets = json::array();
  for (const auto& each : wait.targets)
    targets.push_back(each.object != 0 ? json{{"object", each.object}}
                                       : json{{"slot", each.slot}});
  json result{{"slot", wait.slot},
              {"thread", wait.thread},
              {"for", inspection::what_for(of, wait)},
              {"since_seconds", static_cast<double>(age(of, wait.since)) / 1e9},
              {"targets", targets}};
  if (wait.until)
    result["until_seconds"] = static_cast<double>(-age(of, *wait.until)) / 1e9;
  return result;
}

std::size_t handles_of(const snapshot& of, std::uint32_t slot) {
  return static_cast<std::size_t>(
    std::count_if(of.objects.begin(), of.objects.end(),
                  [&](const auto& each) { return each.is_held_by(slot); }));
}

json process_data(const snapshot& of, const process_record& each) {
  json result{
    {"slot", each.slot},     {"pid", each.pid},
    {"name", each.name},     {"state", state_text(each.state)},
    {"daemon", each.daemon}, {"shared_objects", handles_of(of, each.slot)}};
  if (each.parent)
    result["parent"] = *each.parent;
  if (each.fact) {
    result["threads"] = each.threads.size();
    result["cpu_seconds"] = static_cast<double>(each.fact->cpu_time) / 1e9;
    result["resident_bytes"] = each.fact->resident;
  }
  auto& waits = result["waits"] = json::array();
  for (const auto* wait : waits_of(of, each))
    waits.push_back(wait_data(of, *wait));
  return result;
}

json object_data(const snapshot& of, const object_record& each) {
  json result{{"id", each.id},
              {"name", each.description()},
              {"creator", each.creator},
              {"holders", holders_data(each)},
              {"on_their_way", each.shares}};
  auto& waits = result["waits"] = json::array();
  for (const auto& wait : of.waits)
    if (std::any_of(wait.targets.begin(), wait.targets.end(),
                    [&](const auto& target) {
                      return target.object == each.id;
                    }))
      waits.push_back(wait_data(of, wait));
  if (each.damaged)
    result["damaged"] = true;
  return result;
}

} // namespace

std::string head_line(const snapshot& of) {
  const auto alive = std::count_if(of.processes.begin(), of.processes.end(),
                                   [](const auto& each) {
                                     return each.state != slot_state::dead;
                                   });
  return fmt::format("run of {}: {} {}, {} of memory used, {} reserved of {}\n",
                     of.process(0) != nullptr ? of.process(0)->pid : 0, alive,
                     alive == 1 ? "process" : "processes", bytes_text(of.used),
                     bytes_text(of.reserved), bytes_text(of.memory_limit));
}

json run_data(const snapshot& of) {
  json result{{"root", of.process(0) != nullptr ? of.process(0)->pid : 0},
              {"fork_server", of.fork_server},
              {"used_bytes", of.used},
              {"reserved_bytes", of.reserved},
              {"memory_limit", of.memory_limit}};
  if (!of.damage.empty())
    result["damage"] = of.damage;
  if (!of.outsiders.empty())
    result["outsiders"] = of.outsiders;
  return result;
}

double rate(const looked& of, std::uint64_t before, std::uint64_t now) {
  if (!of.before || now < before)
    return 0;
  const std::chrono::duration<double> between = of.run.taken - of.before->taken;
  return between.count() <= 0
           ? 0
           : static_cast<double>(now - before) / between.count();
}

namespace {

std::string notes(const snapshot& of) {
  std::string result;
  for (const auto& each : of.damage)
    result += "damaged: " + printable(each) + '\n';
  for (const auto pid : of.outsiders)
    result += fmt::format("process {} has the run's memory and is none of its "
                          "processes: a plain fork? While it lives nothing is "
                          "said to stand still.\n",
                          pid);
  return result;
}

} // namespace

view processes_view(const looked& of) {
  const auto& run = of.run;
  table rows{{"PID", "NAME", "STATE", "THREADS", "CPU", "RESIDENT", "OBJECTS",
              "WAITS FOR"}};
  json list = json::array();
  for (const auto& each : run.processes) {
    rows.add({std::to_string(each.pid), each.name, state_text(each.state),
              each.fact ? std::to_string(each.threads.size()) : "",
              each.fact ? duration_text(each.fact->cpu_time) : "",
              each.fact ? bytes_text(each.fact->resident) : "",
              std::to_string(handles_of(run, each.slot)),
              waits_text(run, each)});
    list.push_back(process_data(run, each));
  }
  return {head_line(run) + rows.text() + notes(run),
          {{"run", run_data(run)}, {"processes", list}}};
}

view tree_view(const looked& of) {
  const auto& run = of.run;
  std::string text = head_line(run);
  std::set<std::uint32_t> shown;
  const std::function<json(const process_record&, const std::string&, bool)>
    show = [&](const process_record& each, const std::string& indent,
               bool last) {
      shown.insert(each.slot);
      const auto waits = waits_text(run, each);
      text += printable(
                fmt::format("{}{}{}{}{}", indent,
                            each.slot == 0 ? ""
                            : last         ? "└── "
                                           : "├── ",
                            each.description(), each.daemon ? ", daemon" : "",
                            waits.empty() ? "" : ": waits for " + waits))
              + '\n';
      auto data = process_data(run, each);
      auto& children = data["children"] = json::array();
      std::vector<const process_record*> below;
      for (const auto& other : run.processes)
        if (other.parent == each.slot && !shown.contains(other.slot))
          below.push_back(&other);
      for (const auto* child : below)
        children.push_back(
          show(*child, each.slot == 0 ? "" : indent + (last ? "    " : "│   "),
               child == below.back()));
      return data;
    };
  json roots = json::array();
  if (const auto* root = run.process(0))
    roots.push_back(show(*root, "", true));
  // Of a parent that is gone.
  for (const auto& each : run.processes)
    if (!shown.contains(each.slot))
      roots.push_back(show(each, "", true));
  return {text + notes(run), {{"run", run_data(run)}, {"processes", roots}}};
}

view queues_view(const looked& of) {
  const auto& run = of.run;
  table rows{{"QUEUE", "DEPTH", "LIMIT", "IN/S", "OUT/S", "LAST TAKEN",
              "NOT EMPTY FOR", "NOT DONE", "CLOSED", "READERS ASLEEP",
              "WRITERS ASLEEP", "HELD BY"}};
  json list = json::array();
  for (const auto& each : run.objects) {
    const auto* queue = std::get_if<inspection::queue_record>(&each.content);
    if (queue == nullptr)
      continue;
    // What is a way of a pipe is held by the ends of that.
    auto holders = holders_text(run, each);
    bool is_pipe = false;
    for (const auto& other : run.objects) {
      const auto* end
        = std::get_if<inspection::connection_record>(&other.content);
      if (end == nullptr || (end->in != each.id && end->out != each.id))
        continue;
      is_pipe = true;
      holders += fmt::format("{}{} by {}", holders.empty() ? "" : "; ",
                             end->in == each.id ? "read" : "written",
                             holders_text(run, other));
    }
    const auto readers = waiters_of(run, each, wait_kind::item);
    const auto writers = waiters_of(run, each, wait_kind::room);
    double in = 0;
    double out = 0;
    if (of.before)
      if (const auto* same = of.before->object(each.id))
        if (const auto* earlier
            = std::get_if<inspection::queue_record>(&same->content)) {
          in = rate(of, earlier->put, queue->put);
          out = rate(of, earlier->taken, queue->taken);
        }
    // What was taken between two looks was taken since the first.
    std::optional<std::int64_t> last_taken;
    if (queue->taken_since)
      last_taken = std::max<std::int64_t>(age(run, *queue->taken_since), 0);
    if (out > 0)
      last_taken = std::min(last_taken.value_or(
                              std::numeric_limits<std::int64_t>::max()),
                            age(run, of.before->taken));
    const bool aged = queue->depth != 0 && queue->found_empty;
    rows.add(
      {(is_pipe ? "pipe " : "") + each.description(),
       std::to_string(queue->depth),
       queue->limit == 0 ? "none" : std::to_string(queue->limit), rate_text(in),
       rate_text(out),
       last_taken ? fmt::format("at most {} ago", duration_text(*last_taken))
                  : "never",
       aged ? "at most " + duration_text(age(run, *queue->found_empty)) : "",
       std::to_string(queue->unfinished), queue->closed ? "yes" : "no",
       names_of(run, readers), names_of(run, writers), holders});
    auto data = object_data(run, each);
    data["is_pipe"] = is_pipe;
    data["depth"] = queue->depth;
    data["limit"] = queue->limit;
    data["not_done"] = queue->unfinished;
    data["put"] = queue->put;
    data["taken"] = queue->taken;
    if (last_taken)
      data["last_taken_at_most_seconds_ago"] = static_cast<double>(*last_taken)
                                               / 1e9;
    if (of.before) {
      data["in_per_second"] = in;
      data["out_per_second"] = out;
    }
    if (aged)
      data["not_empty_for_at_most_seconds"]
        = static_cast<double>(age(run, *queue->found_empty)) / 1e9;
    data["closed"] = queue->closed;
    data["full"] = queue->full;
    list.push_back(std::move(data));
  }
  return {rows.empty() ? "the run has no queues and pipes\n" : rows.text(),
          {{"run", run_data(run)}, {"queues", list}}};
}

view locks_view(const looked& of) {
  const auto& run = of.run;
  table rows{{"OBJECT", "STATE", "SINCE", "WAITING, LONGEST FIRST", "HELD BY"}};
  json list = json::array();
  const auto add = [&](const object_record& each, const std::string& state,
                       const std::string& since, wait_kind kind, json more) {
    rows.add({each.description(), state, since,
              names_of(run, waiters_of(run, each, kind)),
              holders_text(run, each)});
    auto data = object_data(run, each);
    data.update(more);
    list.push_back(std::move(data));
  };
  for (const auto& each : run.objects) {
    if (const auto* lock
        = std::get_if<inspection::lock_record>(&each.content)) {
      json more{{"fence", lock->fence}, {"owner_died", lock->owner_died}};
      std::string state = "free";
      std::string since;
      if (lock->holder) {
        const auto* owner = run.process(lock->holder->slot);
        state = name_of(run, lock->holder->slot);
        if (lock->holder->is_actor)
          state = "an actor of " + state;
        else if (owner != nullptr && owner->pid != lock->holder->thread)
          state = fmt::format("thread {} of {}", lock->holder->thread, state);
        state = "locked by " + state;
        since = duration_text(age(run, lock->since));
        more["owner"] = {{"slot", lock->holder->slot},
                         {"thread", lock->holder->thread},
                         {"is_actor", lock->holder->is_actor}};
        more["since_seconds"] = static_cast<double>(age(run, lock->since))
                                / 1e9;
      }
      if (lock->owner_died)
        state += ", an owner died with it";
      add(each, state, since, wait_kind::lock, std::move(more));
    } else if (const auto* units
               = std::get_if<inspection::semaphore_record>(&each.content)) {
      const bool bounded = units->bound
                           != std::numeric_limits<std::int64_t>::max();
      add(each,
          bounded ? fmt::format("{} of {} units", units->value, units->bound)
                  : fmt::format("{} units", units->value),
          "", wait_kind::unit, {{"value", units->value}});
    } else if (std::holds_alternative<inspection::condition_record>(
                 each.content)) {
      add(each, "", "", wait_kind::notification, json::object());
    } else if (const auto* event
               = std::get_if<inspection::event_record>(&each.content)) {
      add(each, event->set ? "set" : "not set", "", wait_kind::event,
          {{"set", event->set}});
    } else if (const auto* barrier
               = std::get_if<inspection::barrier_record>(&each.content)) {
      add(each,
          barrier->broken ? "broken"
                          : fmt::format("{} of {} have arrived",
                                        barrier->waiting, barrier->parties),
          "", wait_kind::arrivals,
          {{"parties", barrier->parties},
           {"arrived", barrier->waiting},
           {"broken", barrier->broken}});
    }
  }
  return {rows.empty() ? "the run has no locks\n" : rows.text(),
          {{"run", run_data(run)}, {"locks", list}}};
}

view stalls_view(const looked& of) {
  view result;
  auto& data = result.data = json::object();
  data["stalled"] = json::array();
  data["cycles"] = json::array();
  data["sentences"] = json::array();
  if (!of.stalls.any())
    return result;
  for (const auto& each : of.stalls.stalled)
    if (const auto& wait = of.run.waits[each.wait];
        !memory::is_own_wait(wait.kind))
      data["stalled"].push_back(wait_data(of.run, wait));
  for (const auto& cycle : of.stalls.cycles)
    data["cycles"].push_back(cycle);
  result.text = "STALLED: nobody can go on who could end these waits.\n";
  for (const auto& each : inspection::sentences(of.run, of.stalls)) {
    data["sentences"].push_back(each);
    result.text += printable(each) + '\n';
  }
  return result;
}

/// Whether its actors wait for a message.
bool has_actors_at_rest(const snapshot& of, const process_record& process) {
  return std::any_of(of.waits.begin(), of.waits.end(), [&](const auto& each) {
    return each.slot == process.slot && each.kind == wait_kind::message;
  });
}

view why_view(const looked& of, const std::string& pid_or_name) {
  const auto& run = of.run;
  view result;
  json list = json::array();
  const auto say = [&](const std::string& sentence, std::size_t depth) {
    result.text += std::string(depth * 2, ' ') + printable(sentence) + '\n';
    list.push_back(sentence);
  };
  std::set<std::uint32_t> told;
  const std::function<void(const process_record&, std::size_t)> tell =
    [&](const process_record& each, std::size_t depth) {
      if (!told.insert(each.slot).second) {
        say(each.description() + ": see above", depth);
        return;
      }
      const auto waits = waits_of(run, each);
      const bool stopped
        = each.fact && (each.fact->state == 'T' || each.fact->state == 't');
      if (each.state != slot_state::running)
        say(each.description() + " is " + state_text(each.state), depth);
      else if (stopped)
        say(each.description()
              + " is stopped, by a signal or a debugger; SIGCONT lets it go "
                "on",
            depth);
      const auto busy = std::count_if(
        each.threads.begin(), each.threads.end(), [&](const auto& thread) {
          return std::none_of(run.waits.begin(), run.waits.end(),
                              [&](const auto& wait) {
                                return wait.slot == each.slot
                                       && wait.thread == thread.id;
                              });
        });
      if (each.state == slot_state::running && !stopped && busy > 0)
        say(
          fmt::format(
            "{} has {} that {} in no call of Troupe's: {}", each.description(),
            busy == 1 ? "a thread" : fmt::format("{} threads", busy),
            busy == 1 ? "is" : "are",
            std::any_of(each.threads.begin(), each.threads.end(),
                        [](const auto& thread) { return thread.state == 'R'; })
              ? "it computes"
              : "`troupe stack` tells where"),
          depth);
      if (each.state == slot_state::running && !stopped && busy == 0
          && waits.empty())
        say(fmt::format("{} waits for {}", each.description(),
                        has_actors_at_rest(run, each)
                          ? "a message to one of its actors"
                          : "one of its own threads to wake another"),
            depth);
      for (const auto* wait : waits) {
        say(fmt::format("{}, for {}", inspection::sentence(run, *wait),
                        duration_text(age(run, wait->since)))
              + (wait->woken ? "; it has just been woken" : "")
              + (wait->until
                   ? fmt::format(", and gives up in {}",
                                 duration_text(-age(run, *wait->until)))
                   : ""),
            depth);
        for (const auto& target : wait->targets) {
          if (target.object == 0) {
            if (const auto* next = run.process(target.slot))
              tell(*next, depth + 1);
            continue;
          }
          const auto* object = run.object(target.object);
          const auto* lock
            = object == nullptr
                ? nullptr
                : std::get_if<inspection::lock_record>(&object->content);
          const auto* state
            = object == nullptr
                ? nullptr
                : std::get_if<inspection::state_record>(&object->content);
          if (lock != nullptr && lock->holder) {
            if (const auto* next = run.process(lock->holder->slot))
              tell(*next, depth + 1);
          } else if (state != nullptr && wait->kind == wait_kind::answer) {
            if (const auto* next
                = run.process(memory::slot_id::unpacked(state->process).index))
              tell(*next, depth + 1);
          } else if (object != nullptr && lock == nullptr && state == nullptr) {
            for (const auto slot : object->holders)
              if (const auto* next = run.process(slot);
                  next != nullptr && slot != each.slot)
                tell(*next, depth + 1);
          }
        }
      }
    };
  tell(find_process(run, pid_or_name), 0);
  result.data = {{"run", run_data(run)}, {"sentences", list}};
  return result;
}

} // namespace troupe::command
