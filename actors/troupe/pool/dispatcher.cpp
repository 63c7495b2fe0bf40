// SPDX-License-Identifier: BSL-1.0

// One file, and a long one: all of it changes one state under one mutex.

#include <troupe/pool/dispatcher.hpp>

#include <troupe/channel/items.hpp>
#include <troupe/mailbox/doorbell.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/burial.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>

namespace troupe::pooling {

namespace {

using mailbox::letter;
using mailbox::letter_box;
using mailbox::visit_result;
using memory::reference;
using memory::run_memory;
using std::chrono::steady_clock;

/// A worker is given so much work at a time that it lasts for this long.
constexpr double ahead = 200e3;
constexpr std::uint32_t most_ahead = 64;
/// Of tasks that last longer, it is given none ahead.
constexpr double long_task = 2e6;

constexpr std::size_t results_at_once = 64;
constexpr std::uint64_t looks_while_submitting = 16;

/// How long a worker that was refused waits before it is tried again.
constexpr std::chrono::milliseconds first_pause{20};
constexpr std::chrono::milliseconds longest_pause{2000};

/// How often limits are looked at, as a part of the shortest.
constexpr int looks_per_limit = 8;

std::int64_t now() noexcept {
  return steady_clock::now().time_since_epoch().count();
}

box_part make_box() {
  return box_part{
    letter_box::create({.fingerprint = channel::fingerprint_of<task_head>()})};
}

note_part make_note() {
  return note_part{
    reference::create(memory::object_kind::block, sizeof(worker_note))};
}

std::vector<reference> objects_of(const codec::packet& letter) {
  std::vector<reference> result;
  for (const auto where : letter.handles())
    result.push_back(reference::attach(where, static_cast<memory::object_kind>(
                                                memory::head_at(where)->kind)));
  return result;
}

/// New shares of objects, for one more copy of a letter.
std::vector<memory::offset> shares_of(const std::vector<reference>& objects) {
  std::vector<memory::offset> result;
  for (const auto& each : objects)
    result.push_back(memory::send(each));
  return result;
}

function_place place_of(const hosting::entry* function) {
  if (function == nullptr)
    return {};
  const auto at = function->location();
  return {at.module, at.offset, 1};
}

pool_options completed(pool_options options) {
  if (options.size == 0)
    options.size = hardware_concurrency();
  if (!options.report)
    options.report = print_end;
  return options;
}

std::exception_ptr cancelled_because(const char* reason) {
  return std::make_exception_ptr(
    troupe::cancelled("run a task of a pool", reason));
}

std::exception_ptr error_of_task(const task_failure& failure,
                                 const std::string& worker, std::int32_t pid) {
  return std::make_exception_ptr(
    remote_error{worker, pid, failure.type, failure.text, failure.last_lines});
}

} // namespace

dispatcher::dispatcher(const pool_options& options,
                       const hosting::entry* initializer,
                       codec::packet arguments, const hosting::entry* finalizer)
  : options_(completed(options)),
    initializer_(initializer),
    arguments_(std::move(arguments)),
    argument_objects_(objects_of(arguments_)),
    finalizer_(finalizer),
    results_(make_box()),
    fruitless_(options_) {
  limits_matter_ = options_.soft_limit || options_.hard_limit;
  deaths_seen_ = run_memory::current().header().deaths.load();
  for (std::uint32_t index = 0; index < options_.size; ++index) {
    auto made = std::make_unique<member>();
    made->index = index;
    made->name = options_.name + "-" + std::to_string(index + 1);
    start(*made);
    members_.push_back(std::move(made));
  }
}

dispatcher::~dispatcher() {
  terminate();
  {
    const std::scoped_lock guard{mutex_};
    stop_background_ = true;
  }
  changed_.notify_all();
  ring();
  if (background_.joinable())
    background_.join();
}

// Workers --------------------------------------------------------------------

void dispatcher::start(member& one) {
  one.overdue = false;
  one.by_force = false;
  one.stopped = 0;
  one.fruitful = false;
  one.tasks.emplace(make_box());
  one.note.emplace(make_note());
  ++one.generation;
  if (initializer_ != nullptr) {
    codec::packet letter;
    codec::encoder to{letter};
    const task_head head{task_head::initialize, 0, 0, 0, 0, 0, 0, 0};
    to.write(&head, sizeof head);
    to.write(arguments_.body().data(), arguments_.body().size());
    const auto shares = shares_of(argument_objects_);
    static_cast<void>(
      box_of(*one.tasks).put({letter.body(), shares}, deadline::never()));
  }
  start_options how;
  how.name = one.name;
  how.daemon = true;
  one.runner = troupe::start<&serve_pool>(
    how, worker_setup{*one.tasks, results_, *one.note, one.index,
                      one.generation, options_.tasks_per_worker,
                      place_of(initializer_), place_of(finalizer_)});
}

std::vector<process_view> dispatcher::workers() {
  const std::scoped_lock guard{mutex_};
  std::vector<process_view> result;
  for (const auto& each : members_)
    if (each->runner.joinable())
      result.push_back(each->runner.view());
  return result;
}

// Tasks ----------------------------------------------------------------------

void dispatcher::begin_letter(codec::packet& letter, std::uint32_t tasks) {
  const task_head head{};
  codec::encoder to{letter};
  to.write(&head, sizeof head);
  to.save(tasks);
}

void dispatcher::set_tasks(codec::packet& letter,
                           std::uint32_t tasks) noexcept {
  letter.overwrite(sizeof(task_head), &tasks, sizeof tasks);
}

void dispatcher::submit(const std::shared_ptr<job>& to,
                        const hosting::entry& function, codec::packet letter,
                        std::uint32_t tasks) {
  if (hosting::dies_of_interrupt())
    static_cast<void>(wait([] { return false; }, deadline::never()));
  auto body = std::make_shared<chunk_body>();
  body->objects = objects_of(letter);
  body->letter = std::move(letter);
  const std::scoped_lock guard{mutex_};
  if (broken_)
    std::rethrow_exception(broken_);
  if (closed_)
    throw troupe::closed("give a task to a pool", "the pool is closed",
                         "close a pool after its last task");
  chunk made;
  made.of = to;
  made.body = std::move(body);
  made.function = &function;
  made.tasks = tasks;
  made.last = tasks;
  made.index = to->expected_;
  to->expect(tasks);
  waiting_.push_back(std::move(made));
  dispatch();
  // Results come in while many tasks are submitted; workers must not run dry.
  if (++submitted_ % looks_while_submitting == 0 && !leading_
      && box_of(results_).readable())
    static_cast<void>(take_results());
}

void dispatcher::complete(const std::shared_ptr<job>& of) {
  const std::scoped_lock guard{mutex_};
  of->complete_ = true;
  settle(*of, 0, 0);
}

/// Lets workers that have nothing do what another has and has not begun.
void dispatcher::even_out() {
  const auto has_nothing = [](const auto& each) {
    return each->runner.joinable() && each->given.empty();
  };
  if (std::none_of(members_.begin(), members_.end(), has_nothing))
    return;
  const bool ready = std::any_of(members_.begin(), members_.end(),
                                 [&](const auto& each) {
                                   return has_nothing(each) && each->fruitful;
                                 });
  for (const auto& each : members_)
    if (ready && !each->fruitful && !each->given.empty()
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
  if (interrupted())
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
  for (const bool fruitful : {true, false})
    for (const auto& each : members_)
      if (each->given.empty() && each->fruitful == fruitful)
        dispatch_to(*each, 1);
  for (const auto& each : members_)
    if (each->given.size() * 2 <= credit)
      dispatch_to(*each, credit);
}

void dispatcher::dispatch_to(member& to, std::uint32_t credit) {
  if (!to.runner.joinable())
    return;
  std::array<mailbox::draft, most_ahead> drafts;
  std::array<std::vector<memory::offset>, most_ahead> shares;
  std::size_t count = 0;
  while (to.given.size() < credit && !waiting_.empty() && count < most_ahead) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (++next_chunk_ == 0)
      ++next_chunk_;
    next.number = next_chunk_;
    const auto place = place_of(next.function);
    const task_head head{task_head::run, next.number,
                         place.module,   place.offset,
                         next.tasks,     next.first,
                         next.last,      limits_matter_ ? 1U : 0U};
    auto& body = next.body->letter;
    // Each letter is copied before the same body can be sent again.
    body.overwrite(0, &head, sizeof head);
    if (!next.body->objects.empty())
      shares[count] = shares_of(next.body->objects);
    drafts[count] = {body.body(), shares[count]};
    const bool shared = next.body.use_count() > 1;
    to.given.push_back(std::move(next));
    ++count;
    if (shared)
      break;
  }
  if (count == 0)
    return;
  std::size_t done = 0;
  static_cast<void>(box_of(*to.tasks).put(std::span{drafts}.first(count), done,
                                          deadline::never()));
}

/// Takes back the next of what `from` was given and has not begun.
bool dispatcher::take_back(member& from, std::deque<chunk>& into) {
  std::uint32_t taken = 0;
  static_cast<void>(box_of(*from.tasks)
                      .take_lending(
                        [&](const letter& shown) {
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
  from.given.erase(found);
  return true;
}

void dispatcher::cancel(const std::shared_ptr<job>& of, bool by_force) {
  const std::scoped_lock guard{mutex_};
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
  for (const auto& each : members_)
    if (!each->given.empty() && each->given.front().of == of) {
      ask_to_stop(*each, note_of(*each->note).running.load());
      if (by_force) {
        each->by_force = true;
        each->runner.kill();
      }
    }
  settle(*of, 0, 0);
  dispatch();
}

/// Puts chunks back to the front of the line.
void dispatcher::requeue(std::deque<chunk> back) {
  waiting_.insert(waiting_.begin(), std::make_move_iterator(back.begin()),
                  std::make_move_iterator(back.end()));
}

/// Triggers the stop token of the task that `running` names.
void dispatcher::ask_to_stop(member& whom, std::uint64_t running) noexcept {
  auto& note = note_of(*whom.note);
  whom.stopped = running;
  note.stop_for.store(running);
  note.bell.fetch_add(1);
  os::wake_all(note.bell);
}

void dispatcher::settle(job& of, std::size_t first, std::size_t last) {
  if (last > first)
    of.finish(first, last);
  if (of.on_progress && last > first)
    callbacks_.emplace_back([call = of.on_progress, done = of.finished_,
                             all = of.expected_] { call(done, all); });
  if (of.is_done()) {
    if (of.on_done)
      callbacks_.push_back(std::exchange(of.on_done, nullptr));
    if (of.done_list != nullptr)
      std::exchange(of.done_list, nullptr)->push_back(of.number);
    changed_.notify_all();
  }
}

void dispatcher::fail(job& of, std::size_t index, std::exception_ptr why) {
  of.failures_.emplace(index, std::move(why));
  settle(of, index, index + 1);
}

void dispatcher::fail(const chunk& rest, const std::exception_ptr& why) {
  for (auto task = rest.first; task < rest.last; ++task)
    fail(*rest.of, rest.index + task, why);
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

/// After Ctrl-C: nothing more begins, and workers end when their task does.
void dispatcher::wind_up() {
  std::deque<chunk> back;
  for (const auto& each : members_)
    while (take_back(*each, back)) {
    }
  requeue(std::move(back));
  const bool first = broken_ == nullptr;
  if (first)
    broken_ = cancelled_because("Ctrl-C has asked the run to end");
  for (const auto& each : waiting_)
    fail(each, broken_);
  waiting_.clear();
  if (first)
    end_workers();
}

// Leading --------------------------------------------------------------------

bool dispatcher::wait(const std::function<bool()>& ready, deadline limit) {
  lock held{mutex_};
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
    if (leading_) {
      if (limit.is_never())
        changed_.wait(held);
      else
        changed_.wait_until(held, limit.when());
      continue;
    }
    lead(held, limit);
  }
  return true;
}

/// Takes results once, waiting for them, and does what follows from them.
void dispatcher::lead(lock& held, deadline limit) {
  leading_ = true;
  limit = next_look(limit);
  const auto news = news_.load();
  held.unlock();
  auto& memory = run_memory::current();
  auto& box = box_of(results_);
  const auto has_work = [&] {
    return box.readable() || news_.load() != news
           || memory.header().deaths.load() != deaths_seen_;
  };
  auto& spinner = mailbox::spinner::of_this_thread();
  spinner.expect_answer(true);
  if (!spinner.spin(has_work, limit)) {
    box.add_watcher(memory.self().index);
    mailbox::sleep_at_door(memory.own_slot(), has_work, limit);
    box.remove_watcher(memory.self().index);
  }
  held.lock();
  // What the dead have reported stands in the mailbox by now.
  const auto deaths = memory.header().deaths.load();
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
  leading_ = false;
  auto callbacks = std::exchange(callbacks_, {});
  changed_.notify_all();
  if (callbacks.empty())
    return;
  held.unlock();
  for (const auto& each : callbacks)
    each();
  held.lock();
}

deadline dispatcher::next_look(deadline limit) const {
  for (const auto& each : members_)
    if (each->again && each->again->when() < limit.when())
      limit = *each->again;
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
  std::size_t letters = 0;
  static_cast<void>(box_of(results_).take_lending(
    [&](const letter& shown) {
      read(shown);
      ++letters;
      return visit_result::taken;
    },
    results_at_once, deadline::now()));
  if (letters == 0)
    return false;
  const auto moment = now();
  if (last_result_ != 0) {
    const auto each = static_cast<double>(moment - last_result_)
                      * static_cast<double>(members_.size())
                      / static_cast<double>(letters);
    pace_ = pace_ >= 1e9 ? each : pace_ * 0.8 + each * 0.2;
  }
  last_result_ = moment;
  // The next are sent before the rest is read: workers must not run dry.
  dispatch();
  return letters == results_at_once;
}

void dispatcher::read(const letter& shown) {
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
  from.fruitful = true;
  from.refusals = 0;
  fruitless_.end_row();
  auto& of = *found->of;
  const auto first = found->index + head.first;
  const auto last = found->index + head.last;
  const auto pid = from.runner.pid();
  std::map<std::size_t, std::exception_ptr> failed;
  try {
    codec::decoder decoder{shown.body.subspan(sizeof head), shown.handles,
                           "results of a pool's worker", codec::shares::lent};
    for (const auto& each : decoder.load<std::vector<task_failure>>())
      if (each.index >= head.first && each.index < head.last)
        failed.emplace(found->index + each.index,
                       error_of_task(each, from.name, pid));
    of.accept(first, last, failed, decoder);
    decoder.finish();
  } catch (const error&) {
    failed.clear();
    for (auto index = first; index < last; ++index)
      failed.emplace(index, std::current_exception());
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
  settle(of, first, last);
}

void dispatcher::look_for_deaths() {
  for (const auto& each : members_) {
    if (!each->runner.joinable())
      continue;
    if (const auto how = each->runner.status())
      bury(*each, *how);
  }
}

void dispatcher::bury(member& dead, const exit_status& how) {
  while (take_results()) {
  }
  const auto pid = dead.runner.pid();
  const auto running = note_of(*dead.note).running.load();
  const bool winding_up = hosting::interrupted_by(how);
  auto given = std::exchange(dead.given, {});
  dead.runner.close();
  std::deque<chunk> again;
  for (auto& each : given) {
    if (each.number != static_cast<std::uint32_t>(running >> 32)
        || running == 0) {
      again.push_back(std::move(each));
      continue;
    }
    const auto task = static_cast<std::uint32_t>(running) - 1;
    // Its result was in the mailbox, and the worker could not say so.
    if (task < each.first || task >= each.last) {
      again.push_back(std::move(each));
      continue;
    }
    auto before = each;
    before.last = task;
    auto after = each;
    after.first = task + 1;
    auto alone = each;
    alone.first = task;
    alone.last = task + 1;
    ++alone.deaths;
    if (before.first < before.last)
      again.push_back(std::move(before));
    const bool retry = alone.deaths <= options_.retries && !dead.overdue
                       && !alone.of->cancelled_ && !winding_up;
    if (retry)
      again.push_back(std::move(alone));
    if (after.first < after.last) {
      after.deaths = 0;
      again.push_back(std::move(after));
    }
    if (retry)
      continue;
    std::exception_ptr why;
    if (winding_up && how.signal() == SIGINT)
      why = cancelled_because("Ctrl-C ended its worker");
    else if (dead.by_force)
      why = cancelled_because("it was cancelled, and its worker killed");
    else if (dead.overdue)
      why = std::make_exception_ptr(
        timed_out("run a task of a pool",
                  "it ran longer than its hard limit; worker " + dead.name
                    + " (pid " + std::to_string(pid) + ") was killed",
                  "raise pool_options::hard_limit"));
    else
      why = std::make_exception_ptr(remote_error{dead.name, pid, how});
    fail(*each.of, each.index + task, std::move(why));
  }
  std::erase_if(again, [&](const chunk& each) {
    if (!each.of->cancelled_)
      return false;
    fail(each, cancelled_because("it was cancelled"));
    return true;
  });
  requeue(std::move(again));
  if (winding_up || ended_ || broken_ || (closed_ && waiting_.empty()))
    return;
  if (running != 0)
    fruitless_.end_row();
  if (how.success() || running != 0 || dead.by_force || dead.overdue)
    return replace(dead);
  const bool made = how.exited() || how.signaled() || how.threw();
  auto why = fruitless_ends::cause::not_made;
  if (made)
    why = how.signal() == SIGKILL ? fruitless_ends::cause::killed
                                  : fruitless_ends::cause::crashed;
  note_end(dead, made ? pid : 0, how.description(), why, nullptr);
  if (made && !broken_)
    replace(dead);
}

/// Starts a worker anew. One that is refused is tried again later.
void dispatcher::replace(member& one) {
  try {
    start(one);
  } catch (const error& failure) {
    note_end(one, 0, failure.what(), fruitless_ends::cause::not_made,
             std::current_exception());
  }
}

void dispatcher::fill_vacancies() {
  // One that is started after the last task would never be told to end.
  if (broken_ || ended_ || (closed_ && waiting_.empty()))
    return;
  for (const auto& each : members_)
    if (each->again && each->again->passed()) {
      each->again.reset();
      replace(*each);
    }
}

/// A worker has ended, or was not made, with no task to blame: says so, and
/// breaks the pool if that was once too often.
void dispatcher::note_end(member& one, std::int32_t pid,
                          const std::string& reason, fruitless_ends::cause why,
                          std::exception_ptr thrown) {
  const bool made = why != fruitless_ends::cause::not_made;
  const bool enough = !one.fruitful
                      && !fruitless_.note(why, steady_clock::now());
  callbacks_.push_back(
    [tell = options_.report,
     what = restart_report{one.name, pid, reason, one.generation, enough}] {
      try {
        tell(what);
      } catch (...) {
        print_end(what);
      }
    });
  if (!enough) {
    if (!made) {
      const auto doublings = std::min<std::uint32_t>(one.refusals++, 16);
      one.again = deadline::after(
        std::min(first_pause * (1 << doublings), longest_pause));
    }
    return;
  }
  broken_ = thrown
              ? std::move(thrown)
              : std::make_exception_ptr(error_of<errc::process_died>(
                  "run a pool",
                  std::string{made ? "its workers end before they run a "
                                     "task"
                                   : "its workers cannot be started"}
                    + "; the last was " + one.name + (made ? ", which " : ": ")
                    + reason,
                  made ? "look at its initializer, and at what it wrote to "
                         "standard error"
                       : "lower pool_options::size, or raise the limit"));
  fail_all(broken_);
}

void dispatcher::look_at_limits() {
  const auto moment = now();
  for (const auto& each : members_) {
    if (!each->runner.joinable() || each->given.empty())
      continue;
    auto& note = note_of(*each->note);
    const auto running = note.running.load(std::memory_order_acquire);
    const std::chrono::nanoseconds spent{moment - note.started.load()};
    if (running == 0 || note.running.load() != running)
      continue;
    if (options_.hard_limit && spent > *options_.hard_limit) {
      each->overdue = true;
      each->runner.kill();
    } else if (options_.soft_limit && spent > *options_.soft_limit
               && each->stopped != running) {
      ask_to_stop(*each, running);
    }
  }
}

// The thread of the pool -----------------------------------------------------

void dispatcher::ring() {
  news_.fetch_add(1);
  memory::ring(run_memory::current().own_slot());
}

void dispatcher::lead_always() {
  const std::scoped_lock guard{mutex_};
  if (!background_.joinable())
    background_ = std::thread{[this] { run_background(); }};
  changed_.notify_all();
}

bool dispatcher::idle() const {
  return waiting_.empty() && callbacks_.empty()
         && std::all_of(members_.begin(), members_.end(),
                        [](const auto& each) { return each->given.empty(); });
}

void dispatcher::run_background() {
  lock held{mutex_};
  while (!stop_background_) {
    if (leading_ || wanting_ > 0 || idle())
      changed_.wait(held);
    else
      lead(held, deadline::after(std::chrono::milliseconds{50}));
  }
}

// The end --------------------------------------------------------------------

void dispatcher::close() {
  const std::scoped_lock guard{mutex_};
  closed_ = true;
  changed_.notify_all();
}

/// Lets each worker end after what it was given.
void dispatcher::end_workers() {
  const task_head head{task_head::end, 0, 0, 0, 0, 0, 0, 0};
  for (const auto& each : members_)
    if (each->runner.joinable())
      static_cast<void>(
        box_of(*each->tasks)
          .put({std::as_bytes(std::span{&head, 1})}, deadline::never()));
}

bool dispatcher::join(deadline limit) {
  {
    const std::scoped_lock guard{mutex_};
    if (!closed_)
      throw invalid_state("join a pool", "it is not closed",
                          "close or terminate it first");
  }
  if (!wait([this] { return idle(); }, limit))
    return false;
  lock held{mutex_};
  if (ended_) {
    held.unlock();
    return wait([this] { return gone_; }, limit);
  }
  end_workers();
  held.unlock();
  return wait(
    [this] {
      look_for_deaths();
      return (!ended_ || gone_)
             && std::none_of(members_.begin(), members_.end(),
                             [](const auto& each) {
                               return each->runner.joinable();
                             });
    },
    limit);
}

void dispatcher::terminate() {
  lock held{mutex_};
  closed_ = true;
  if (std::exchange(ended_, true)) {
    changed_.wait(held, [this] { return gone_; });
    return;
  }
  fail_all(cancelled_because("the pool was terminated"));
  std::vector<process> killed;
  for (const auto& each : members_)
    if (each->runner.joinable()) {
      each->runner.kill();
      killed.push_back(std::move(each->runner));
    }
  news_.fetch_add(1);
  held.unlock();
  changed_.notify_all();
  memory::ring(run_memory::current().own_slot());
  for (auto& each : killed) {
    each.join();
    each.close();
  }
  held.lock();
  gone_ = true;
  news_.fetch_add(1);
  auto callbacks = std::exchange(callbacks_, {});
  held.unlock();
  changed_.notify_all();
  memory::ring(run_memory::current().own_slot());
  for (const auto& each : callbacks)
    each();
  for (const auto& each : std::exchange(farewells_, {}))
    each();
}

void dispatcher::at_end(std::function<void()> what) {
  const std::scoped_lock guard{mutex_};
  if (ended_)
    throw troupe::closed("use a pool", "it was terminated");
  farewells_.push_back(std::move(what));
}

} // namespace troupe::pooling
