// SPDX-License-Identifier: BSL-1.0

// Of the dispatcher: what whoever leads does. Results, deaths, limits.

#include <troupe/pool/dispatcher.hpp>

#include <troupe/base/stop_of_thread.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/signals.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace troupe::pooling {

namespace {

using mailbox::message;
using mailbox::visit_result;
using memory::run_memory;
using std::chrono::steady_clock;

constexpr std::size_t results_at_once = 64;

/// How often limits are looked at, as a part of the shortest.
constexpr int looks_per_limit = 8;

std::exception_ptr error_of_task(const task_failure& failure,
                                 const std::string& worker, std::int32_t pid) {
  return hosting::with_causes(
    remote_error{worker, pid, failure.thrown, failure.last_lines});
}

/// Why the value of a task was not read: of the exception being handled.
std::exception_ptr error_of_value(const std::string& attempted) {
  try {
    throw;
  } catch (const error&) {
    return std::current_exception();
  } catch (...) {
    return std::make_exception_ptr(malformed_bytes(
      attempted, "the load of its type threw "
                   + calls::failure::being_handled().description()));
  }
}

} // namespace

bool dispatcher::wait(const std::function<bool()>& ready, deadline limit) {
  const auto* const stop = stop_of_thread::current();
  std::optional<std::stop_callback<std::function<void()>>> wake;
  if (stop != nullptr)
    wake.emplace(*stop, [this] { wake_who_waits(); });
  lock held{mutex()};
  ++wanting_;
  struct leaving {
    dispatcher& of;
    ~leaving() {
      --of.wanting_;
      of.changed_.notify_all();
    }
  } const leave{*this};
  while (hosting::dies_of_interrupt() || !ready()) {
    if (limit.passed())
      return false;
    if (stop != nullptr && stop->stop_requested())
      throw cancelled("wait for a task of a pool",
                      "what this thread reads is not wanted any more");
    if (leading_) {
      memory::wait_note note{memory::wait_kind::thread, nullptr, limit};
      note.sleeps();
      wait_before(changed_, held, limit);
      continue;
    }
    work_as_leader(held, limit);
  }
  return true;
}

/// Takes results once, waiting for them, and does what follows from them.
/// Throws what reading results throws: then the next who leads tries again.
void dispatcher::work_as_leader(lock& held, deadline limit) {
  {
    struct leading {
      dispatcher& of;
      lock& held;
      ~leading() {
        if (!held.owns_lock())
          held.lock();
        of.leading_ = false;
        of.changed_.notify_all();
        of.wake_watchers();
      }
    } const now{*this, held};
    leading_ = true;
    look(held, limit);
  }
  call_all(held);
}

void dispatcher::look(lock& held, deadline limit) {
  // Also in a root that a signal is about to end: workers that listen end when
  // they are told.
  const os::running_on library_work;
  limit = next_look(limit);
  const bool winding_up = broken_ != nullptr;
  const auto news = news_.load();
  held.unlock();
  auto& memory = run_memory::current();
  auto& box = box_of(results_);
  const auto has_work = [&] {
    return box.readable() || news_.load() != news
           || memory.header().deaths.load() != deaths_seen_
           || (!winding_up && memory.header().interrupted.load() != 0);
  };
  auto& spinner = mailbox::spinner::of_this_thread();
  spinner.expect_answer(true);
  const bool sleeps = !spinner.spin(has_work, limit);
  if (sleeps) {
    box.add_watcher(memory.self().index);
    memory::wait_note note{memory::wait_kind::result, &box, limit};
    mailbox::sleep_until_notified(memory.own_slot(), has_work, limit, note);
  }
  held.lock();
  // The threads that `watch` have the same entry.
  entered_ = entered_ || sleeps;
  leave_watchers();
  do_work();
}

/// Takes results and looks for deaths and limits, once.
void dispatcher::do_work() {
  // What the dead have reported stands in the mailbox by now.
  const auto deaths = run_memory::current().header().deaths.load();
  while (take_results()) {
  }
  if (deaths != deaths_seen_) {
    deaths_seen_ = deaths;
    look_for_deaths();
  }
  fill_vacancies();
  if (limits_matter_)
    look_at_limits();
  dispatch();
  show_waiting();
}

deadline dispatcher::next_look(deadline limit) const {
  if (children_.has_work() && !starts_nobody())
    limit = std::min(limit, children_.next_time());
  if (!limits_matter_)
    return limit;
  auto shortest = std::chrono::nanoseconds::max();
  for (const auto& each : {options_.soft_limit, options_.hard_limit})
    if (each)
      shortest = std::min(shortest, *each);
  const auto pause
    = std::clamp(shortest / looks_per_limit,
                 std::chrono::nanoseconds{std::chrono::milliseconds{1}},
                 std::chrono::nanoseconds{std::chrono::milliseconds{50}});
  const auto then = deadline::after(pause);
  return then.when() < limit.when() ? then : limit;
}

bool dispatcher::take_results() {
  std::size_t messages = 0;
  static_cast<void>(box_of(results_).take(
    [&](const message& shown) {
      read(shown);
      ++messages;
      return visit_result::taken;
    },
    results_at_once, deadline::now()));
  if (messages == 0)
    return false;
  const auto moment = now();
  if (last_result_ != 0) {
    const auto each = static_cast<double>(moment - last_result_)
                      * static_cast<double>(members_.size())
                      / static_cast<double>(messages);
    pace_ = pace_ >= 1e9 ? each : pace_ * 0.8 + each * 0.2;
  }
  last_result_ = moment;
  // The next are sent before the rest is read: workers must not run dry.
  dispatch();
  return messages == results_at_once;
}

void dispatcher::read(const message& shown) {
  result_head head{};
  if (shown.body.size() < sizeof head)
    return;
  std::memcpy(&head, shown.body.data(), sizeof head);
  if (head.worker >= members_.size()
      || members_[head.worker]->generation != head.generation)
    return;
  auto& from = *members_[head.worker];
  const auto found = std::find_if(from.given.begin(), from.given.end(),
                                  [&](const chunk& each) {
                                    return each.number == head.chunk;
                                  });
  if (found == from.given.end() || head.first != found->first
      || head.last <= head.first || head.last > found->last)
    return;
  from.has_run_task = true;
  children_.worked(from.index);
  auto& of = *found->of;
  const auto first = found->index + head.first;
  const auto last = found->index + head.last;
  const auto pid = from.runner.pid();
  auto next = first;
  std::map<std::size_t, std::exception_ptr> failed;
  try {
    codec::decoder decoder{shown.body.subspan(sizeof head), shown.handles,
                           "results of a pool's worker"};
    for (const auto& each : decoder.load<std::vector<task_failure>>())
      if (each.index >= head.first && each.index < head.last)
        failed.emplace(found->index + each.index,
                       error_of_task(each, from.name, pid));
    of.accept(next, last, failed, decoder);
    decoder.finish();
  } catch (...) {
    // Of a message with too much in it nothing is believed.
    if (next == last)
      next = first;
    const auto attempted = "read the result of a task of worker " + from.name
                           + " (" + std::to_string(pid) + ")";
    failed.emplace(next, error_of_value(attempted));
    // Where a value ends only its load knows.
    for (++next; next < last; ++next)
      failed.emplace(next,
                     std::make_exception_ptr(malformed_bytes(
                       attempted,
                       "it lies behind one of the same chunk that could not "
                       "be read: "
                         + calls::failure::being_handled().full_text(),
                       "give such tasks to the pool with chunk size 1")));
  }
  of.failures_.merge(failed);
  found->first = head.last;
  found->deaths = 0;
  // Of a result that nobody waits for any more the chunk is the last to know.
  std::shared_ptr<job> last_holder;
  if (found->first == found->last) {
    last_holder = std::move(found->of);
    from.given.erase(found);
  }
  settle(of, first, last, ending::ran);
}

void dispatcher::look_for_deaths() {
  for (const auto& each : members_) {
    if (!each->runner.joinable())
      continue;
    if (const auto how = each->runner.status())
      on_worker_death(*each, *how);
  }
}

void dispatcher::on_worker_death(member& dead, const exit_status& how) {
  while (take_results()) {
  }
  const death of{how, dead.runner.pid(), note_of(*dead.note).running.load(),
                 hosting::is_winding_up(how.signal())};
  auto given = std::exchange(dead.given, {});
  dead.runner.close();
  std::deque<chunk> again;
  for (auto& each : given)
    divide(std::move(each), dead, of, again);
  std::erase_if(again, [&](const chunk& each) {
    if (!each.of->cancelled_)
      return false;
    fail(each, cancelled_because("it was cancelled"));
    return true;
  });
  requeue(std::move(again));
  const auto moment = steady_clock::now();
  if (of.winding_up || starts_nobody())
    return children_.stays_ended(dead.index, moment);
  if (of.running != 0)
    children_.worked(dead.index);
  children_.ended(dead.index, end_of(dead, of), moment);
  supervise();
}

/// What of a dead worker's chunk is to run again goes to `again`. The task that
/// it had begun fails, unless that is to run again, too.
void dispatcher::divide(chunk which, const member& dead, const death& of,
                        std::deque<chunk>& again) {
  const auto task = static_cast<std::uint32_t>(of.running) - 1;
  if (of.running == 0
      || which.number != static_cast<std::uint32_t>(of.running >> 32)
      // Its result was in the mailbox, and the worker could not say so.
      || task < which.first || task >= which.last) {
    again.push_back(std::move(which));
    return;
  }
  auto before = which;
  before.last = task;
  auto after = which;
  after.first = task + 1;
  after.deaths = 0;
  auto alone = which;
  alone.first = task;
  alone.last = task + 1;
  ++alone.deaths;
  if (before.first < before.last)
    again.push_back(std::move(before));
  // It may have been killed for the task before, and have begun this one.
  const bool overdue = dead.overdue == of.running;
  const bool retry = alone.deaths <= options_.retries && !overdue
                     && !alone.of->cancelled_ && !of.winding_up;
  if (retry)
    again.push_back(std::move(alone));
  if (after.first < after.last)
    again.push_back(std::move(after));
  if (!retry)
    fail_begun(which, task, dead, of);
}

/// The task fails, for the reason that its worker has died for.
void dispatcher::fail_begun(const chunk& which, std::uint32_t task,
                            const member& dead, const death& of) {
  const auto killed_for_it = dead.by_force && which.of->cancelled_;
  const bool cancelled = hosting::is_ending()
                         || (of.winding_up && of.how.signal() == SIGINT)
                         || killed_for_it;
  std::exception_ptr why;
  if (hosting::is_ending())
    why = cancelled_because("its process is ending");
  else if (of.winding_up && hosting::bit_of(of.how.signal()) != 0)
    why = cancelled_because(of.how.signal_name() + " ended its worker");
  else if (killed_for_it)
    why = cancelled_because("it was cancelled, and its worker killed");
  else if (dead.overdue == of.running)
    why = std::make_exception_ptr(
      timed_out("run a task of a pool",
                "it ran longer than its hard limit; worker "
                  + memory::description_of(dead.name, of.pid) + " was killed",
                "raise pool_options::hard_limit"));
  else
    why = hosting::with_causes(remote_error{dead.name, of.pid, of.how});
  fail(*which.of, which.index + task, std::move(why),
       cancelled ? ending::never_begun : ending::ran);
}

void dispatcher::look_at_limits() {
  const auto moment = now();
  for (const auto& each : members_) {
    if (!each->can_work() || each->given.empty())
      continue;
    auto& note = note_of(*each->note);
    const auto running = note.running.load(std::memory_order_acquire);
    const std::chrono::nanoseconds spent{moment - note.started.load()};
    if (running == 0 || note.running.load() != running)
      continue;
    if (options_.hard_limit && spent > *options_.hard_limit) {
      each->overdue = running;
      static_cast<void>(hosting::try_signal(each->runner.view(), SIGKILL));
    } else if (options_.soft_limit && spent > *options_.soft_limit
               && each->stopped != running) {
      ask_to_stop(*each, running);
    }
  }
}

} // namespace troupe::pooling
