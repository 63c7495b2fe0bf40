// SPDX-License-Identifier: BSL-1.0

// Of the dispatcher: tasks on their way to the workers, and back.

#include <troupe/pool/dispatcher.hpp>

#include <troupe/channel/items.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/memory/trace.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/signals.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>

namespace troupe::pooling {

namespace {

using mailbox::message;
using mailbox::visit_result;

/// A worker is given so much work at a time that it lasts for this long.
constexpr double ahead = 200e3;
constexpr std::uint32_t most_ahead = 64;
/// Of tasks that last longer, it is given none ahead.
constexpr double long_task = 2e6;

constexpr std::uint64_t looks_while_submitting = 16;

} // namespace

void dispatcher::begin_message(codec::packet& message, std::uint32_t tasks) {
  const task_head head{};
  codec::encoder to{message};
  to.write(&head, sizeof head);
  to.save(tasks);
}

void dispatcher::set_tasks(codec::packet& message,
                           std::uint32_t tasks) noexcept {
  message.overwrite(sizeof(task_head), &tasks, sizeof tasks);
}

void dispatcher::submit(const std::shared_ptr<job>& to,
                        const task_function& function, codec::packet message,
                        std::uint32_t tasks) {
  if (hosting::dies_of_interrupt())
    static_cast<void>(wait([] { return false; }, deadline::never()));
  auto made = make_chunk(to, function, std::move(message), tasks);
  const std::scoped_lock guard{mutex()};
  check_open();
  add(std::move(made));
}

void dispatcher::submit_whole(const std::shared_ptr<job>& to,
                              const task_function& function,
                              codec::packet message, std::uint32_t tasks,
                              const std::function<bool()>& accept) {
  if (hosting::dies_of_interrupt())
    static_cast<void>(wait([] { return false; }, deadline::never()));
  auto made = make_chunk(to, function, std::move(message), tasks);
  const std::scoped_lock guard{mutex()};
  check_open();
  if (!accept())
    return;
  to->complete_ = true;
  add(std::move(made));
}

void dispatcher::check_open() const {
  if (broken_)
    std::rethrow_exception(broken_);
  if (closed_)
    throw troupe::closed("give a task to a pool", "the pool is closed",
                         "close a pool after its last task");
}

chunk dispatcher::make_chunk(const std::shared_ptr<job>& to,
                             const task_function& function,
                             codec::packet message, std::uint32_t tasks) {
  auto body = std::make_shared<chunk_body>();
  body->message = std::move(message);
  chunk made;
  made.of = to;
  made.body = std::move(body);
  made.function = &function;
  made.tasks = tasks;
  made.last = tasks;
  return made;
}

void dispatcher::add(chunk made) {
  made.index = made.of->expected_;
  made.of->expected_ += made.tasks;
  shown().submitted.fetch_add(made.tasks, std::memory_order_relaxed);
  const bool traced = memory::is_traced();
  if (traced) [[unlikely]] {
    made.number = next_number();
    memory::trace(memory::trace_kind::submit_begins, 0,
                  memory::link_of_chunk(results_.object().id(), made.number));
  }
  waiting_.push_back(std::move(made));
  dispatch();
  show_waiting();
  // Results come in while many tasks are submitted; workers must not run dry.
  if (++submitted_ % looks_while_submitting == 0)
    take_what_is_there();
  if (traced) [[unlikely]]
    memory::trace(memory::trace_kind::submit_ends, 0, 0);
}

std::uint32_t dispatcher::next_number() noexcept {
  if (++next_chunk_ == 0)
    ++next_chunk_;
  return next_chunk_;
}

void dispatcher::take_what_is_there() noexcept {
  if (leading_ || !box_of(results_).readable())
    return;
  try {
    static_cast<void>(take_results());
  } catch (const error&) {
    // What is on its way is so all the same. Who waits for a result meets this
    // again.
  }
}

std::exception_ptr dispatcher::refusal() const {
  if (broken_ || !ended_)
    return broken_;
  return cancelled_because("the pool was terminated");
}

void dispatcher::wake_who_waits() {
  {
    // Lest somebody has looked and does not wait yet.
    const std::scoped_lock guard{mutex_};
    news_.fetch_add(1);
  }
  changed_.notify_all();
  memory::notify(memory::run_memory::current().own_slot());
}

void dispatcher::complete(const std::shared_ptr<job>& of) {
  const std::scoped_lock guard{mutex()};
  of->complete_ = true;
  settle(*of, 0, 0, ending::ran);
}

/// Lets workers that have nothing do what another has and has not begun.
void dispatcher::even_out() {
  const auto has_nothing = [](const auto& each) {
    return each->can_work() && each->given.empty();
  };
  if (std::none_of(members_.begin(), members_.end(), has_nothing))
    return;
  const bool ready
    = std::any_of(members_.begin(), members_.end(), [&](const auto& each) {
        return has_nothing(each) && each->has_run_task;
      });
  for (const auto& each : members_)
    if (ready && !each->has_run_task && !each->given.empty()
        && take_back(*each, waiting_))
      return;
  const auto busiest = std::max_element(members_.begin(), members_.end(),
                                        [](const auto& a, const auto& b) {
                                          return a->given.size()
                                                 < b->given.size();
                                        });
  for (auto some = (*busiest)->given.size() / 2; some > 0; --some)
    if (!take_back(**busiest, waiting_))
      break;
}

void dispatcher::dispatch() {
  if (hosting::is_winding_up())
    return wind_up();
  if (waiting_.empty())
    even_out();
  if (waiting_.empty())
    return;
  const auto credit = pace_ > long_task
                        ? 1U
                        : static_cast<std::uint32_t>(
                            std::clamp(ahead / std::max(pace_, 1.0), 2.0,
                                       static_cast<double>(most_ahead)));
  // Everybody gets one before anybody gets more; those first that are known to
  // run tasks, lest one task waits for a worker that never starts.
  for (const bool has_run_task : {true, false})
    for (const auto& each : members_)
      if (each->given.empty() && each->has_run_task == has_run_task)
        dispatch_to(*each, 1);
  for (const auto& each : members_)
    if (each->given.size() * 2 <= credit)
      dispatch_to(*each, credit);
}

void dispatcher::dispatch_to(member& to, std::uint32_t credit) {
  if (!to.can_work())
    return;
  std::array<mailbox::draft, most_ahead> drafts;
  std::size_t count = 0;
  while (to.given.size() < credit && !waiting_.empty() && count < most_ahead) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    // It has one from the start in a run that is traced, and for its first way.
    if (next.number == 0)
      next.number = next_number();
    const auto place = function_place::of(next.function);
    const task_head head{task_head::run, next.number,
                         place.module,   place.offset,
                         next.tasks,     next.first,
                         next.last,      limits_matter_ ? 1U : 0U};
    auto& body = next.body->message;
    // Each message is copied before the same body can be sent again.
    body.overwrite(0, &head, sizeof head);
    drafts[count] = {body.body(), body.handles()};
    const bool shared = next.body.use_count() > 1;
    to.given.push_back(std::move(next));
    ++count;
    if (shared)
      break;
  }
  if (count == 0)
    return;
  auto& box = box_of(*to.tasks);
  std::size_t done = 0;
  try {
    static_cast<void>(
      box.put(std::span{drafts}.first(count), done, deadline::never()));
    return;
  } catch (const error&) {
    // One of them is the reason, and not always the first.
  }
  auto at = to.given.end() - static_cast<std::ptrdiff_t>(count - done);
  for (; done < count; ++done)
    try {
      static_cast<void>(box.put(drafts[done], deadline::never()));
      ++at;
    } catch (const error&) {
      const auto unsent = std::move(*at);
      at = to.given.erase(at);
      fail(unsent, std::current_exception());
    }
}

/// Takes back the next of what `from` was given and has not begun.
bool dispatcher::take_back(member& from, std::deque<chunk>& into) {
  std::uint32_t taken = 0;
  static_cast<void>(box_of(*from.tasks)
                      .take(
                        [&](const message& shown) {
                          task_head head{};
                          if (shown.body.size() < sizeof head)
                            return visit_result::leave;
                          std::memcpy(&head, shown.body.data(), sizeof head);
                          if (head.what != task_head::run)
                            return visit_result::leave;
                          taken = head.chunk;
                          return visit_result::taken;
                        },
                        1, deadline::now()));
  const auto found
    = std::find_if(from.given.begin(), from.given.end(),
                   [&](const chunk& each) { return each.number == taken; });
  if (taken == 0 || found == from.given.end())
    return false;
  into.push_back(std::move(*found));
  into.back().number = 0;
  from.given.erase(found);
  return true;
}

void dispatcher::cancel(const std::shared_ptr<job>& of, bool by_force) {
  const std::scoped_lock guard{mutex()};
  of->cancelled_ = true;
  of->complete_ = true;
  const auto why = cancelled_because("it was cancelled");
  std::deque<chunk> back;
  for (const auto& each : members_) {
    const bool concerned
      = std::any_of(each->given.begin(), each->given.end(),
                    [&](const chunk& one) { return one.of == of; });
    if (!concerned)
      continue;
    while (take_back(*each, back)) {
    }
  }
  requeue(std::move(back));
  std::erase_if(waiting_, [&](const chunk& each) {
    if (each.of != of)
      return false;
    fail(each, why);
    return true;
  });
  for (const auto& each : members_) {
    const auto running = note_of(*each->note).running.load();
    // What stands behind an initialiser's message is not taken back.
    const bool starting = running == 0 && !each->has_run_task
                          && initializer_ != nullptr;
    const bool concerned = std::any_of(
      each->given.begin(), each->given.end(), [&](const chunk& one) {
        return one.of == of && (starting || one.number == running >> 32);
      });
    // Others may be done, and their results not yet read.
    if (!concerned)
      continue;
    ask_to_stop(*each, running);
    if (by_force) {
      each->by_force = true;
      static_cast<void>(hosting::try_signal(each->runner.view(), SIGKILL));
    }
  }
  settle(*of, 0, 0, ending::never_begun);
  dispatch();
}

/// Puts chunks back to the front of the line.
void dispatcher::requeue(std::deque<chunk> back) {
  for (auto& each : back)
    each.number = 0;
  waiting_.insert(waiting_.begin(), std::make_move_iterator(back.begin()),
                  std::make_move_iterator(back.end()));
}

/// Triggers the stop token of the task that `running` names.
void dispatcher::ask_to_stop(member& whom, std::uint64_t running) noexcept {
  auto& note = note_of(*whom.note);
  whom.stopped = running;
  note.stop_for.store(running);
  note.wake_word.fetch_add(1);
  os::wake_all(note.wake_word);
}

void dispatcher::settle(job& of, std::size_t first, std::size_t last,
                        ending how) {
  of.finished_ += last - first;
  shown().finished.fetch_add(last - first, std::memory_order_relaxed);
  if (how == ending::ran) {
    of.ran_ += last - first;
    if (of.on_progress && last > first)
      callbacks_.emplace_back([call = of.on_progress, done = of.ran_,
                               all = of.expected_] { call(done, all); });
  }
  if (of.is_done()) {
    for (auto& each : std::exchange(of.on_done, {}))
      callbacks_.push_back(std::move(each));
    if (of.done_list != nullptr)
      std::exchange(of.done_list, nullptr)->push_back(of.number);
    changed_.notify_all();
    wake_watchers();
  }
}

void dispatcher::fail(job& of, std::size_t index, std::exception_ptr why,
                      ending how) {
  of.failures_.emplace(index, std::move(why));
  settle(of, index, index + 1, how);
}

void dispatcher::fail(const chunk& rest, const std::exception_ptr& why) {
  for (auto task = rest.first; task < rest.last; ++task)
    fail(*rest.of, rest.index + task, why, ending::never_begun);
}

void dispatcher::fail_all(const std::exception_ptr& why) {
  for (const auto& each : waiting_)
    fail(each, why);
  waiting_.clear();
  for (const auto& each : members_) {
    for (const auto& one : each->given)
      fail(one, why);
    each->given.clear();
  }
}

/// After a signal, or when the process ends: nothing more begins, and workers
/// end when their task does.
void dispatcher::wind_up() {
  std::deque<chunk> back;
  for (const auto& each : members_)
    while (take_back(*each, back)) {
    }
  requeue(std::move(back));
  const bool first = broken_ == nullptr;
  if (first)
    broken_ = cancelled_because(hosting::is_ending()
                                  ? "its process is ending"
                                  : os::signal_name(interrupted_by())
                                      + " has asked the run to end");
  for (const auto& each : waiting_)
    fail(each, broken_);
  waiting_.clear();
  if (interrupted())
    abandon_running();
  if (first)
    end_workers();
}

/// Whether what the worker runs has asked for a token: then it may end by
/// itself, and its result counts.
bool dispatcher::listens(const member& one) {
  if (!one.runner.joinable())
    return false;
  const auto* slot = memory::run_memory::current().find(one.runner.view().id());
  return slot != nullptr && slot->listens.load() != 0;
}

/// Of a worker that has heard of no signal nobody waits for the result: it may
/// take for ever.
void dispatcher::abandon_running() {
  for (const auto& each : members_) {
    if (each->given.empty() || listens(*each))
      continue;
    const auto given = std::exchange(each->given, {});
    ask_to_stop(*each, note_of(*each->note).running.load());
    for (const auto& one : given)
      fail(one, broken_);
  }
}

/// Kills workers that run what was abandoned, and has not stopped.
void dispatcher::end_abandoned() {
  if (!interrupted())
    return;
  for (const auto& each : members_)
    if (each->can_work() && each->given.empty() && !listens(*each)
        && note_of(*each->note).running.load() != 0) {
      each->by_force = true;
      each->runner.kill();
    }
}

} // namespace troupe::pooling
