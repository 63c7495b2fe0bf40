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

bool is_stopped(const process_record& process) {
  return process.fact
         && (process.fact->state == 'T' || process.fact->state == 't');
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

namespace {

/// Who holds a queue: of a way of a pipe those who hold the ends.
struct queue_holders {
  std::string text;
  bool is_pipe = false;
};

queue_holders holders_of_queue(const snapshot& run,
                               const object_record& queue) {
  queue_holders result{.text = holders_text(run, queue)};
  for (const auto& other : run.objects) {
    const auto* end
      = std::get_if<inspection::connection_record>(&other.content);
    if (end == nullptr || (end->in != queue.id && end->out != queue.id))
      continue;
    result.is_pipe = true;
    result.text += fmt::format("{}{} by {}", result.text.empty() ? "" : "; ",
                               end->in == queue.id ? "read" : "written",
                               holders_text(run, other));
  }
  return result;
}

/// What goes through a queue, and when.
struct queue_flow {
  double in = 0;
  double out = 0;
  /// At most so long ago, in nanoseconds; none if nothing ever was.
  std::optional<std::int64_t> last_taken;
  /// For at most so long, in nanoseconds; none if it is empty.
  std::optional<std::int64_t> not_empty;
};

queue_flow flow_of(const looked& of, const object_record& object,
                   const inspection::queue_record& queue) {
  queue_flow result;
  if (of.before)
    if (const auto* same = of.before->object(object.id))
      if (const auto* earlier
          = std::get_if<inspection::queue_record>(&same->content)) {
        result.in = rate(of, earlier->put, queue.put);
        result.out = rate(of, earlier->taken, queue.taken);
      }
  // What was taken between two looks was taken since the first.
  if (queue.taken_since)
    result.last_taken = std::max<std::int64_t>(age(of.run, *queue.taken_since),
                                               0);
  if (result.out > 0)
    result.last_taken = std::min(result.last_taken.value_or(
                                   std::numeric_limits<std::int64_t>::max()),
                                 age(of.run, of.before->taken));
  if (queue.depth != 0 && queue.found_empty)
    result.not_empty = age(of.run, *queue.found_empty);
  return result;
}

std::vector<std::string>
queue_row(const snapshot& run, const object_record& object,
          const inspection::queue_record& queue, const queue_holders& holders,
          const queue_flow& flow) {
  return {(holders.is_pipe ? "pipe " : "") + object.description(),
          std::to_string(queue.depth),
          queue.limit == 0 ? "none" : std::to_string(queue.limit),
          rate_text(flow.in),
          rate_text(flow.out),
          flow.last_taken
            ? fmt::format("at most {} ago", duration_text(*flow.last_taken))
            : "never",
          flow.not_empty ? "at most " + duration_text(*flow.not_empty) : "",
          std::to_string(queue.unfinished),
          queue.closed ? "yes" : "no",
          names_of(run, waiters_of(run, object, wait_kind::item)),
          names_of(run, waiters_of(run, object, wait_kind::room)),
          holders.text};
}

json queue_data(const looked& of, const object_record& object,
                const inspection::queue_record& queue, bool is_pipe,
                const queue_flow& flow) {
  auto result = object_data(of.run, object);
  result["is_pipe"] = is_pipe;
  result["depth"] = queue.depth;
  result["limit"] = queue.limit;
  result["not_done"] = queue.unfinished;
  result["put"] = queue.put;
  result["taken"] = queue.taken;
  if (flow.last_taken)
    result["last_taken_at_most_seconds_ago"]
      = static_cast<double>(*flow.last_taken) / 1e9;
  if (of.before) {
    result["in_per_second"] = flow.in;
    result["out_per_second"] = flow.out;
  }
  if (flow.not_empty)
    result["not_empty_for_at_most_seconds"]
      = static_cast<double>(*flow.not_empty) / 1e9;
  result["closed"] = queue.closed;
  result["full"] = queue.full;
  return result;
}

} // namespace

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
    const auto holders = holders_of_queue(run, each);
    const auto flow = flow_of(of, each, *queue);
    rows.add(queue_row(run, each, *queue, holders, flow));
    list.push_back(queue_data(of, each, *queue, holders.is_pipe, flow));
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

namespace {

/// What a process does and waits for, then the same of those it waits for, each
/// one once.
class explanation {
public:
  explicit explanation(const snapshot& run) : run_(run) {
  }

  void tell_of(const process_record& process, std::size_t depth) {
    if (!told_.insert(process.slot).second) {
      say(process.description() + ": see above", depth);
      return;
    }
    const auto waits = waits_of(run_, process);
    tell_what_it_does(process, waits.empty(), depth);
    for (const auto* wait : waits) {
      tell_wait(*wait, depth);
      for (const auto& target : wait->targets)
        tell_of_those_behind(*wait, target, depth + 1);
    }
  }

  std::string text;
  json sentences = json::array();

private:
  void say(const std::string& sentence, std::size_t depth) {
    text += std::string(depth * 2, ' ') + printable(sentence) + '\n';
    sentences.push_back(sentence);
  }

  /// Threads of a process that wait for nothing of Troupe's.
  [[nodiscard]] std::ptrdiff_t busy_threads(const process_record& of) const {
    return std::count_if(
      of.threads.begin(), of.threads.end(), [&](const auto& thread) {
        return std::none_of(run_.waits.begin(), run_.waits.end(),
                            [&](const auto& wait) {
                              return wait.slot == of.slot
                                     && wait.thread == thread.id;
                            });
      });
  }

  void tell_what_it_does(const process_record& each, bool waits_for_nothing,
                         std::size_t depth) {
    if (each.state != slot_state::running) {
      say(each.description() + " is " + state_text(each.state), depth);
      return;
    }
    if (is_stopped(each)) {
      say(each.description()
            + " is stopped, by a signal or a debugger; SIGCONT lets it go on",
          depth);
      return;
    }
    const auto busy = busy_threads(each);
    if (busy > 0)
      say(fmt::format(
            "{} has {} that {} in no call of Troupe's: {}", each.description(),
            busy == 1 ? "a thread" : fmt::format("{} threads", busy),
            busy == 1 ? "is" : "are",
            std::any_of(each.threads.begin(), each.threads.end(),
                        [](const auto& thread) { return thread.state == 'R'; })
              ? "it computes"
              : "`troupe stack` tells where"),
          depth);
    else if (waits_for_nothing)
      say(fmt::format("{} waits for {}", each.description(),
                      has_actors_at_rest(run_, each)
                        ? "a message to one of its actors"
                        : "one of its own threads to wake another"),
          depth);
  }

  void tell_wait(const wait_record& wait, std::size_t depth) {
    say(fmt::format("{}, for {}", inspection::sentence(run_, wait),
                    duration_text(age(run_, wait.since)))
          + (wait.woken ? "; it has just been woken" : "")
          + (wait.until ? fmt::format(", and gives up in {}",
                                      duration_text(-age(run_, *wait.until)))
                        : ""),
        depth);
  }

  /// Of the processes that could end the wait for that target.
  void tell_of_those_behind(const wait_record& wait,
                            const inspection::wait_target& target,
                            std::size_t depth) {
    if (target.object == 0) {
      tell_of_slot(target.slot, depth);
      return;
    }
    const auto* object = run_.object(target.object);
    if (object == nullptr)
      return;
    const auto* lock = std::get_if<inspection::lock_record>(&object->content);
    const auto* state = std::get_if<inspection::state_record>(&object->content);
    if (lock != nullptr && lock->holder) {
      tell_of_slot(lock->holder->slot, depth);
    } else if (state != nullptr && wait.kind == wait_kind::answer) {
      tell_of_slot(memory::slot_id::unpacked(state->process).index, depth);
    } else if (lock == nullptr && state == nullptr) {
      for (const auto slot : object->holders)
        if (slot != wait.slot)
          tell_of_slot(slot, depth);
    }
  }

  void tell_of_slot(std::uint32_t slot, std::size_t depth) {
    if (const auto* next = run_.process(slot))
      tell_of(*next, depth);
  }

  const snapshot& run_;
  std::set<std::uint32_t> told_;
};

} // namespace

view why_view(const looked& of, const std::string& pid_or_name) {
  const auto& run = of.run;
  explanation why{run};
  why.tell_of(find_process(run, pid_or_name), 0);
  return {why.text, {{"run", run_data(run)}, {"sentences", why.sentences}}};
}

} // namespace troupe::command
