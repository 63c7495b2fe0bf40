// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/stalls.hpp>

#include <troupe/sync/owner.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace troupe::inspection {

namespace {

using memory::object_id;
using memory::object_kind;
using memory::slot_id;
using memory::slot_state;
using memory::wait_kind;

/// Waits that are no news by themselves: a state that nobody calls, and whoever
/// stands by for others.
bool is_idle_kind(wait_kind kind) noexcept {
  return kind == wait_kind::request || memory::is_own_wait(kind);
}

bool is_same_wait(const wait_record& a, const wait_record& b) noexcept {
  return a.slot == b.slot && a.thread == b.thread && a.turn == b.turn;
}

/// Who may end a wait.
struct wakers {
  /// Somebody may who goes on, or who is not known.
  bool anybody = false;
  /// Any thread of the run may that goes on: a handle is on its way to
  /// somebody.
  bool whoever_goes_on = false;
  /// Indices of waits: if one of these threads goes on, this one may.
  std::set<std::size_t> waits;
};

/// Whose turn it is, from one snapshot.
class analysis {
public:
  explicit analysis(const snapshot& of) : of_(of) {
    for (std::size_t i = 0; i < of.waits.size(); ++i)
      waits_of_[of.waits[i].slot].push_back(i);
    for (const auto& each : of.processes)
      sort_threads(each);
    everybody_goes_on_ = of.interrupted || !of.outsiders.empty();
  }

  /// @param excluded waits that count as going on
  stall_report run(const std::set<std::size_t>& excluded) {
    if (everybody_goes_on_)
      return {};
    std::vector<std::size_t> candidates;
    for (const auto& [slot, threads] : sleeping_)
      for (const auto wait : threads)
        if (!excluded.contains(wait))
          candidates.push_back(wait);
        else
          goes_on_.insert(slot);
    standing_ = {candidates.begin(), candidates.end()};
    std::map<std::size_t, wakers> by;
    for (const auto wait : candidates)
      by[wait] = wakers_of(wait);
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto wait : candidates)
        if (standing_.contains(wait) && may_end(wait, by[wait])) {
          standing_.erase(wait);
          changed = true;
        }
    }
    return report(by);
  }

private:
  /// Which threads of a process go on, and which sleep in waits of Troupe's.
  void sort_threads(const process_record& of) {
    const auto slot = of.slot;
    if (of.state != slot_state::running) {
      if (of.state != slot_state::dead)
        goes_on_.insert(slot);
      return;
    }
    if (!of.fact || of.fact->state == 'Z' || of.threads.empty()) {
      goes_on_.insert(slot);
      return;
    }
    sleeping_[slot];
    for (const auto& thread : of.threads) {
      const auto wait = wait_of(slot, thread.id);
      if (wait != none && of_.waits[wait].kind == wait_kind::service)
        continue;
      if (wait == none || thread.state != 'S' || !lasts(of_.waits[wait]))
        goes_on_.insert(slot);
      else
        sleeping_[slot].push_back(wait);
    }
  }

  static bool lasts(const wait_record& wait) noexcept {
    return !wait.until && !wait.open && !wait.woken;
  }

  static constexpr auto none = static_cast<std::size_t>(-1);

  [[nodiscard]] std::size_t wait_of(std::uint32_t slot,
                                    std::int32_t thread) const {
    constexpr auto mask = (1 << sync::owner::thread_bits) - 1;
    const auto found = waits_of_.find(slot);
    if (found != waits_of_.end())
      for (const auto each : found->second)
        if ((of_.waits[each].thread & mask) == (thread & mask))
          return each;
    return none;
  }

  // Who may end what ----------------------------------------------------------

  /// Any thread of a process may.
  void add_process(wakers& to, std::uint32_t slot) const {
    if (goes_on_.contains(slot) || of_.process(slot) == nullptr) {
      to.anybody = true;
      return;
    }
    if (const auto found = sleeping_.find(slot); found != sleeping_.end())
      to.waits.insert(found->second.begin(), found->second.end());
  }

  void add_holders(wakers& to, const object_record& of) const {
    to.anybody = to.anybody || of.damaged;
    to.whoever_goes_on = to.whoever_goes_on || of.shares != 0;
    for (const auto slot : of.holders)
      add_process(to, slot);
  }

  /// Who may put into a mailbox (`writes`), or take out of it.
  void add_users(wakers& to, const object_record& box, bool writes) const {
    bool is_part = false;
    for (const auto& each : of_.objects) {
      if (const auto* end = std::get_if<connection_record>(&each.content);
          end != nullptr && (end->in == box.id || end->out == box.id)) {
        is_part = true;
        if ((writes ? end->out : end->in) == box.id)
          add_holders(to, each);
      } else if (const auto* state = std::get_if<state_record>(&each.content);
                 state != nullptr && state->requests == box.id) {
        is_part = true;
        add_state(to, each.id, writes);
      }
    }
    to.anybody = to.anybody || box.damaged;
    if (!is_part)
      add_holders(to, box);
    else
      // Who has just made it.
      for (const auto slot : box.holders)
        add_process(to, slot);
  }

  /// Clients of a state, or its process.
  void add_state(wakers& to, object_id control_block, bool clients) const {
    const auto* home = of_.object(control_block);
    const auto* content
      = home == nullptr ? nullptr : std::get_if<state_record>(&home->content);
    if (content == nullptr) {
      to.anybody = true;
      return;
    }
    if (!clients)
      return add_process(to, slot_id::unpacked(content->process).index);
    for (const auto& each : of_.objects)
      if (const auto* part = std::get_if<state_record>(&each.content);
          part != nullptr && part->control_block == control_block)
        add_holders(to, each);
  }

  void add_owner(wakers& to, const object_record& lock) const {
    const auto* content = std::get_if<lock_record>(&lock.content);
    if (content == nullptr || !content->holder || lock.damaged) {
      to.anybody = true;
      return;
    }
    const auto& holder = *content->holder;
    const auto* owner = of_.process(holder.slot);
    if (owner == nullptr || owner->state != slot_state::running) {
      to.anybody = true;
      return;
    }
    // Which of the threads runs it next is open.
    if (holder.is_actor)
      return add_process(to, holder.slot);
    const auto wait = wait_of(holder.slot, holder.thread);
    if (wait != none && of_.waits[wait].kind != wait_kind::service) {
      to.waits.insert(wait);
      to.anybody = to.anybody || !is_asleep(holder.slot, wait);
      return;
    }
    constexpr auto mask = (1 << sync::owner::thread_bits) - 1;
    const bool lives = std::any_of(owner->threads.begin(), owner->threads.end(),
                                   [&](const auto& each) {
                                     return (each.id & mask) == holder.thread;
                                   });
    // A thread that has ended with it: its process may end, and free it.
    if (lives)
      to.anybody = true;
    else
      add_process(to, holder.slot);
  }

  [[nodiscard]] bool is_asleep(std::uint32_t slot, std::size_t wait) const {
    const auto found = sleeping_.find(slot);
    return found != sleeping_.end()
           && std::find(found->second.begin(), found->second.end(), wait)
                != found->second.end();
  }

  void add_target(wakers& to, wait_kind kind, const wait_target& target) const {
    if (target.object == 0)
      return add_process(to, target.slot);
    const auto* object = of_.object(target.object);
    if (object == nullptr) {
      to.anybody = true;
      return;
    }
    switch (kind) {
      case wait_kind::lock: return add_owner(to, *object);
      case wait_kind::item: {
        const auto* queue = std::get_if<queue_record>(&object->content);
        // Somebody may have taken it since, or is about to.
        to.anybody = to.anybody || queue == nullptr || queue->depth != 0
                     || queue->closed;
        return add_users(to, *object, true);
      }
      case wait_kind::any:
        if (object->kind == object_kind::queue)
          return add_users(to, *object, true);
        return add_holders(to, *object);
      case wait_kind::room: {
        const auto* queue = std::get_if<queue_record>(&object->content);
        to.anybody = to.anybody || queue == nullptr || !queue->full
                     || queue->closed || !queue->has_readers;
        return add_users(to, *object, false);
      }
      case wait_kind::event: {
        const auto* event = std::get_if<event_record>(&object->content);
        to.anybody = to.anybody || event == nullptr || event->set;
        return add_holders(to, *object);
      }
      case wait_kind::unit: {
        const auto* units = std::get_if<semaphore_record>(&object->content);
        to.anybody = to.anybody || units == nullptr || units->value > 0;
        return add_holders(to, *object);
      }
      case wait_kind::answer: return add_state(to, object->id, false);
      case wait_kind::request: return add_state(to, object->id, true);
      default: return add_holders(to, *object);
    }
  }

  [[nodiscard]] wakers wakers_of(std::size_t index) const {
    const auto& wait = of_.waits[index];
    wakers result;
    switch (wait.kind) {
      case wait_kind::thread: add_process(result, wait.slot); break;
      // Whoever goes on may know one of its actors, or hear of one.
      case wait_kind::message:
        result.whoever_goes_on = true;
        for (const auto& [slot, threads] : sleeping_)
          result.waits.insert(threads.begin(), threads.end());
        break;
      // Ends when all of them have ended: see `may_end`.
      case wait_kind::children: break;
      default:
        result.anybody = wait.targets.empty();
        for (const auto& each : wait.targets)
          add_target(result, wait.kind, each);
    }
    result.waits.erase(index);
    return result;
  }

  [[nodiscard]] bool may_end(std::size_t index, wakers& by) const {
    const auto& wait = of_.waits[index];
    if (wait.kind != wait_kind::children)
      return by.anybody || (by.whoever_goes_on && somebody_goes_on())
             || std::any_of(by.waits.begin(), by.waits.end(), [&](auto each) {
                  return !standing_.contains(each);
                });
    // One that cannot end is enough. A daemon is killed.
    by.waits.clear();
    for (const auto& each : of_.processes) {
      if (each.slot == wait.slot || each.daemon
          || each.state != slot_state::running
          || (wait.slot != 0 && each.parent != wait.slot))
        continue;
      const auto found = sleeping_.find(each.slot);
      if (!goes_on_.contains(each.slot) && found != sleeping_.end()
          && !found->second.empty()
          && std::all_of(found->second.begin(), found->second.end(),
                         [&](auto one) { return standing_.contains(one); }))
        by.waits.insert(found->second.begin(), found->second.end());
    }
    return by.waits.empty();
  }

  [[nodiscard]] bool somebody_goes_on() const {
    if (!goes_on_.empty())
      return true;
    for (const auto& [slot, waits] : sleeping_)
      for (const auto wait : waits)
        if (!standing_.contains(wait))
          return true;
    return false;
  }

  // What is told --------------------------------------------------------------

  stall_report report(std::map<std::size_t, wakers>& by) {
    stall_report result;
    std::map<std::size_t, std::size_t> place;
    for (const auto wait : standing_)
      place.emplace(wait, place.size());
    for (const auto& [wait, at] : place) {
      stalled_wait each{wait, {}};
      for (const auto behind : by[wait].waits)
        if (const auto found = place.find(behind); found != place.end())
          each.behind.push_back(found->second);
      result.stalled.push_back(std::move(each));
    }
    // A state that nobody calls, and a worker's watcher, are idle, no news.
    const auto is_idle = [&](const stalled_wait& each) {
      return is_idle_kind(of_.waits[each.wait].kind);
    };
    if (std::all_of(result.stalled.begin(), result.stalled.end(), is_idle))
      return {};
    find_cycles(result);
    return result;
  }

  /// One shortest cycle for each group of those who wait for each other;
  /// through those who stand by for others only where there is none without
  /// them.
  void find_cycles(stall_report& of) const {
    std::set<std::size_t> told;
    for (const bool with_idle : {false, true})
      for (std::size_t start = 0; start < of.stalled.size(); ++start)
        if (!told.contains(start) && !is_idle(of.stalled[start]))
          find_cycle(of, start, with_idle, told);
  }

  [[nodiscard]] bool is_idle(const stalled_wait& of) const {
    return memory::is_own_wait(of_.waits[of.wait].kind);
  }

  void find_cycle(stall_report& of, std::size_t start, bool with_idle,
                  std::set<std::size_t>& told) const {
    std::map<std::size_t, std::size_t> from;
    std::vector<std::size_t> reached{start};
    for (std::size_t at = 0; at < reached.size() && !from.contains(start); ++at)
      for (const auto next : of.stalled[reached[at]].behind)
        if ((with_idle || !is_idle(of.stalled[next]))
            && from.emplace(next, reached[at]).second)
          reached.push_back(next);
    if (!from.contains(start))
      return;
    std::vector<std::size_t> cycle;
    for (auto at = from.at(start); at != start; at = from.at(at))
      cycle.push_back(at);
    cycle.push_back(start);
    std::reverse(cycle.begin(), cycle.end());
    const bool known = std::any_of(cycle.begin(), cycle.end(), [&](auto each) {
      return told.contains(each);
    });
    told.insert(cycle.begin(), cycle.end());
    if (!known)
      of.cycles.push_back(std::move(cycle));
  }

  const snapshot& of_;
  std::map<std::uint32_t, std::vector<std::size_t>> waits_of_;
  /// Waits of the threads of each process that sleep until others do something.
  std::map<std::uint32_t, std::vector<std::size_t>> sleeping_;
  /// Processes that have a thread which goes on.
  std::set<std::uint32_t> goes_on_;
  std::set<std::size_t> standing_;
  bool everybody_goes_on_ = false;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string result;
  for (std::size_t i = 0; i < names.size(); ++i)
    result += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return result;
}

std::string name_of(const snapshot& of, std::uint32_t slot) {
  const auto* found = of.process(slot);
  return found == nullptr ? "a process that is gone" : found->description();
}

/// The thread is named where the process has several that count, the actor
/// where the thread is in the handler of one.
std::string name_of(const snapshot& of, const wait_record& wait) {
  const auto* found = of.process(wait.slot);
  auto result = name_of(of, wait.slot);
  if (found != nullptr && found->actors)
    for (const auto& each : found->actors->handlers)
      if (each.thread == wait.thread)
        return "actor " + std::to_string(each.actor)
               + (each.type.empty() ? "" : " (" + each.type + ")") + " of "
               + result;
  if (found != nullptr && wait.thread != found->pid)
    result = "thread " + std::to_string(wait.thread) + " of " + result;
  return result;
}

std::string object_text(const snapshot& of, object_id id) {
  const auto* object = of.object(id);
  return object == nullptr ? "object " + std::to_string(id)
                           : object->description();
}

/// Names of those who hold an object, without `except`.
std::vector<std::string> holders_of(const snapshot& of, object_id id,
                                    std::uint32_t except) {
  std::vector<std::string> result;
  if (const auto* object = of.object(id))
    for (const auto slot : object->holders)
      if (slot != except)
        result.push_back(name_of(of, slot));
  return result;
}

/// Who may do what a wait is for, in words; empty where that is said already.
std::string by_whom(const snapshot& of, const wait_record& wait) {
  if (wait.targets.size() != 1 || wait.targets.front().object == 0)
    return {};
  const auto id = wait.targets.front().object;
  const auto* object = of.object(id);
  if (object == nullptr)
    return {};
  if (wait.kind == wait_kind::lock) {
    const auto* lock = std::get_if<lock_record>(&object->content);
    if (lock == nullptr || !lock->holder)
      return ", which is free by now";
    const auto& holder = *lock->holder;
    const auto* owner = of.process(holder.slot);
    auto who = name_of(of, holder.slot);
    if (holder.is_actor)
      who = "an actor of " + who;
    else if (owner != nullptr && owner->pid != holder.thread)
      who = "thread " + std::to_string(holder.thread) + " of " + who;
    return ", which " + who + " holds";
  }
  if (wait.kind == wait_kind::answer || wait.kind == wait_kind::request)
    return {};
  auto others = holders_of(of, id, wait.slot);
  // The ends of a pipe hold it.
  for (const auto& each : of.objects)
    if (const auto* end = std::get_if<connection_record>(&each.content);
        end != nullptr
        && (wait.kind == wait_kind::room ? end->in : end->out) == id)
      for (const auto slot : each.holders)
        if (slot != wait.slot)
          others.push_back(name_of(of, slot));
  if (others.empty())
    return object->shares != 0 ? ", which is on its way in a message"
                               : ", of which no other process has a handle";
  constexpr std::size_t most = 4;
  if (others.size() > most) {
    const auto more = others.size() - most + 1;
    others.resize(most - 1);
    others.push_back(std::to_string(more) + " more");
  }
  return ", which " + list_of(others) + (others.size() == 1 ? " has" : " have")
         + " too";
}

} // namespace

stall_report find_stalls(const snapshot& of) {
  return analysis{of}.run({});
}

stall_report find_stalls(const snapshot& first, const snapshot& second) {
  const auto before = find_stalls(first);
  if (!before.any())
    return {};
  std::set<std::size_t> new_ones;
  for (std::size_t i = 0; i < second.waits.size(); ++i)
    if (std::none_of(before.stalled.begin(), before.stalled.end(),
                     [&](const stalled_wait& each) {
                       return is_same_wait(first.waits[each.wait],
                                           second.waits[i]);
                     }))
      new_ones.insert(i);
  return analysis{second}.run(new_ones);
}

std::string what_for(const snapshot& of, const wait_record& wait) {
  std::vector<std::string> targets;
  for (const auto& each : wait.targets)
    targets.push_back(each.object != 0 ? object_text(of, each.object)
                                       : name_of(of, each.slot));
  const auto target = list_of(targets);
  switch (wait.kind) {
    case wait_kind::lock: return target;
    case wait_kind::unit: return "a unit of " + target;
    case wait_kind::notification: return "a notification of " + target;
    case wait_kind::event: return target;
    case wait_kind::arrivals: return "the others at " + target;
    case wait_kind::item: return "an item of " + target;
    case wait_kind::room: return "room in " + target;
    case wait_kind::finished: return "the items of " + target + " to be done";
    case wait_kind::process: return "the end of " + target;
    case wait_kind::children: return "the end of its children";
    case wait_kind::any: return "the first of " + target;
    case wait_kind::answer:
      for (const auto& each : wait.targets)
        if (const auto* object = of.object(each.object))
          if (const auto* state = std::get_if<state_record>(&object->content))
            return "an answer of the state "
                   + name_of(of, slot_id::unpacked(state->process).index);
      return "an answer of a state";
    case wait_kind::request: return "a request";
    case wait_kind::result: return "a result of its pool";
    case wait_kind::stop_request: return "its task to be asked to stop";
    case wait_kind::thread: return "another thread of its own";
    case wait_kind::message: return "a message";
    default: return "work";
  }
}

std::string sentence(const snapshot& of, const wait_record& wait) {
  if (wait.kind == wait_kind::message)
    return "the actors of " + name_of(of, wait.slot) + " wait for a message";
  return name_of(of, wait) + " waits for " + what_for(of, wait)
         + by_whom(of, wait);
}

std::vector<std::string> sentences(const snapshot& of,
                                   const stall_report& report) {
  std::vector<std::string> result;
  std::set<std::size_t> told;
  for (const auto& cycle : report.cycles) {
    result.push_back(cycle.size() == 1 ? "this one waits for itself:"
                                       : "these wait for each other:");
    for (const auto each : cycle) {
      result.push_back("  "
                       + sentence(of, of.waits[report.stalled[each].wait]));
      told.insert(each);
    }
  }
  for (std::size_t i = 0; i < report.stalled.size(); ++i) {
    const auto& wait = of.waits[report.stalled[i].wait];
    if (told.contains(i) || is_idle_kind(wait.kind))
      continue;
    result.push_back((report.stalled[i].behind.empty()
                        ? "nobody can end this wait: "
                        : "behind them: ")
                     + sentence(of, wait));
  }
  return result;
}

} // namespace troupe::inspection
