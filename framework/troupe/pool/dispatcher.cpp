// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/dispatcher.hpp>

#include <troupe/base/option_checks.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/memory/origin.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/table.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

namespace troupe::pooling {

namespace {

using mailbox::message_queue;
using memory::reference;
using memory::run_memory;
using std::chrono::steady_clock;

message_queue_part make_box() {
  return message_queue_part{message_queue::create(
    {.fingerprint = channel::fingerprint_of<task_head>()})};
}

note_part make_note() {
  return note_part{
    reference::create(memory::object_kind::block, sizeof(worker_note))};
}

reference make_counters(const message_queue_part& results,
                        const pool_options& options) {
  auto made = reference::create(memory::object_kind::pool,
                                sizeof(memory::pool_counters));
  auto& shown = *made.as<memory::pool_counters>();
  shown.results = results.object().id();
  shown.workers = options.size;
  memory::name_object(made.id(), options.name);
  return made;
}

/// Keeps what is never destroyed where the leak checker finds it.
void leave_alone(const dispatcher* copy) {
  static auto& all = *new std::deque<const dispatcher*>;
  static auto& mutex = *new std::mutex;
  const std::scoped_lock guard{mutex};
  all.push_back(copy);
}

/// Throws `invalid_argument`, which names the option.
void check(const pool_options& options) {
  const auto attempted = "start pool '" + options.name + "'";
  require_not_negative(attempted, "size", options.size);
  require_not_negative(attempted, "tasks_per_worker", options.tasks_per_worker);
  require_not_negative(attempted, "retries", options.retries);
  require_positive(attempted, "soft_limit", options.soft_limit);
  require_positive(attempted, "hard_limit", options.hard_limit);
  if (options.intensity)
    require_not_negative(attempted, "intensity", *options.intensity);
  require_positive(attempted, "period", options.period);
}

pool_options completed(pool_options options) {
  check(options);
  if (options.size == 0)
    options.size = hardware_concurrency();
  hosting::require_places(options.size);
  return options;
}

/// How a pool supervises: each worker by itself, and an end counts if its
/// worker has done nothing yet.
supervision::supervisor_core::settings
supervision_of(const pool_options& options) {
  supervision::supervisor_core::settings how;
  how.strategy = strategy::one_for_one;
  how.limits.most = options.intensity ? std::uint64_t{*options.intensity}
                                      : 3 * std::uint64_t{options.size} + 2;
  how.limits.period = options.period;
  how.limits.in_a_row = true;
  how.first_pause = std::chrono::milliseconds{20};
  how.longest_pause = std::chrono::seconds{2};
  return how;
}

} // namespace

std::int64_t dispatcher::now() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

std::exception_ptr dispatcher::cancelled_because(const std::string& reason) {
  return std::make_exception_ptr(
    troupe::cancelled("run a task of a pool", reason));
}

std::shared_ptr<dispatcher>
dispatcher::make(const pool_options& options,
                 const initializer_function* initializer,
                 codec::packet arguments, const finalizer_function* finalizer) {
  auto made = std::make_unique<dispatcher>(options, initializer,
                                           std::move(arguments), finalizer);
  return {made.release(), [](dispatcher* given_up) {
            // What threads of the original were about is half done here, and
            // its thread is none that could be joined.
            if (given_up->is_copy())
              leave_alone(given_up);
            else if (given_up->background_.get_id()
                     == std::this_thread::get_id())
              std::thread{[given_up] { delete given_up; }}.detach();
            else
              delete given_up;
          }};
}

dispatcher::dispatcher(const pool_options& options,
                       const initializer_function* initializer,
                       codec::packet arguments,
                       const finalizer_function* finalizer)
  : options_(completed(options)),
    initializer_(initializer),
    arguments_(std::move(arguments)),
    finalizer_(finalizer),
    results_(make_box()),
    counters_(make_counters(results_, options_)),
    children_(supervision_of(options_)) {
  limits_matter_ = options_.soft_limit || options_.hard_limit;
  deaths_seen_ = run_memory::current().header().deaths.load();
  start_all();
}

dispatcher::~dispatcher() {
  terminate();
  {
    const std::scoped_lock guard{mutex_};
    stop_background_ = true;
  }
  changed_.notify_all();
  notify_self();
  if (background_.joinable())
    background_.join();
}

void dispatcher::require_original() const {
  if (is_copy())
    throw invalid_state("use a pool",
                        "this process was forked off the one that has it",
                        "use it there");
}

// Workers --------------------------------------------------------------------

void dispatcher::start_all() {
  for (std::uint32_t index = 0; index < options_.size; ++index) {
    auto made = std::make_unique<member>();
    made->index = index;
    made->name = options_.name + "-" + std::to_string(index + 1);
    children_.add("start pool '" + options_.name + "'", {.id = made->name});
    members_.push_back(std::move(made));
  }
  while (const auto step = children_.next(steady_clock::now())) {
    start(*members_[step->child]);
    children_.started(step->child, supervision::child_process::none);
  }
}

void dispatcher::start(member& one) {
  one.overdue = 0;
  one.by_force = false;
  one.stopped = 0;
  one.has_run_task = false;
  one.refusal = nullptr;
  one.tasks.emplace(make_box());
  one.note.emplace(make_note());
  ++one.generation;
  shown().started.fetch_add(1, std::memory_order_relaxed);
  if (initializer_ != nullptr) {
    codec::packet message;
    codec::encoder to{message};
    const task_head head{task_head::initialize, 0, 0, 0, 0, 0, 0, 0};
    to.write(&head, sizeof head);
    to.write(arguments_.body().data(), arguments_.body().size());
    static_cast<void>(
      box_of(*one.tasks)
        .put({message.body(), arguments_.handles()}, deadline::never()));
  }
  start_options how;
  how.name = one.name;
  how.daemon = true;
  one.runner = troupe::start<&serve_pool>(
    how,
    worker_setup{*one.tasks, results_, *one.note, one.index, one.generation,
                 options_.tasks_per_worker, function_place::of(initializer_),
                 function_place::of(finalizer_)});
}

void dispatcher::show_waiting() const noexcept {
  shown().waiting.store(waiting_.size(), std::memory_order_relaxed);
}

/// From now on every task fails with `why`.
void dispatcher::give_up(std::exception_ptr why) {
  broken_ = std::move(why);
  fail_all(broken_);
}

std::vector<process_view> dispatcher::workers() {
  const std::scoped_lock guard{mutex()};
  std::vector<process_view> result;
  for (const auto& each : members_)
    if (each->runner.joinable())
      result.push_back(each->runner.view());
  return result;
}

// The thread of the pool -----------------------------------------------------

void dispatcher::notify_self() {
  news_.fetch_add(1);
  memory::notify(run_memory::current().own_slot());
}

void dispatcher::keep_a_leader() {
  const std::scoped_lock guard{mutex()};
  if (!background_.joinable())
    background_ = os::start_thread([this] { run_background(); });
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
    if (leading_ || wanting_ > 0 || idle()) {
      memory::wait_note note{memory::wait_kind::thread, nullptr,
                             deadline::never()};
      note.sleeps();
      changed_.wait(held);
    } else
      try {
        work_as_leader(held, deadline::after(std::chrono::milliseconds{50}));
      } catch (...) {
        // Nobody waits who could be told.
        give_up(std::current_exception());
        call_all(held);
      }
  }
}

/// Calls what is to be called, without the lock.
void dispatcher::call_all(lock& held) {
  auto callbacks = std::exchange(callbacks_, {});
  if (callbacks.empty())
    return;
  held.unlock();
  for (const auto& each : callbacks)
    call_back(each);
  // What they own may be the pool, whose end takes the lock.
  callbacks.clear();
  held.lock();
}

void dispatcher::call_back(const std::function<void()>& what) const noexcept {
  try {
    what();
  } catch (...) {
    const auto thrown = calls::failure::being_handled();
    std::fprintf(stderr, "troupe: a callback of pool '%s' threw %s: %s\n",
                 options_.name.c_str(), thrown.type.c_str(),
                 thrown.full_text().c_str());
  }
}

// The end --------------------------------------------------------------------

void dispatcher::close() {
  const std::scoped_lock guard{mutex()};
  closed_ = true;
  changed_.notify_all();
}

/// Lets each worker end after what it was given.
void dispatcher::end_workers() {
  children_.end_all_at_once(shutdown::infinity(), steady_clock::now());
  supervise();
}

bool dispatcher::join(deadline limit) {
  {
    const std::scoped_lock guard{mutex()};
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
  end_abandoned();
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
  if (is_copy())
    return;
  lock held{mutex_};
  closed_ = true;
  if (std::exchange(ended_, true)) {
    changed_.wait(held, [this] { return gone_; });
    return;
  }
  fail_all(cancelled_because("the pool was terminated"));
  children_.end_all_at_once(shutdown::kill(), steady_clock::now());
  std::vector<process> killed;
  while (const auto step = children_.next(steady_clock::now())) {
    if (auto& runner = members_[step->child]->runner; runner.joinable())
      killed.push_back(std::move(runner));
    children_.stays_ended(step->child, steady_clock::now());
  }
  news_.fetch_add(1);
  held.unlock();
  changed_.notify_all();
  memory::notify(run_memory::current().own_slot());
  // One that has just been asked for is killed when it is there.
  for (auto& each : killed)
    if (hosting::try_signal(each.view(), SIGKILL)
        == os::signal_outcome::not_permitted)
      // This process has another user by now: the end of the run ends it.
      each.detach();
  for (auto& each : killed)
    if (each.joinable()) {
      each.join();
      each.close();
    }
  held.lock();
  gone_ = true;
  news_.fetch_add(1);
  auto callbacks = std::exchange(callbacks_, {});
  held.unlock();
  changed_.notify_all();
  memory::notify(run_memory::current().own_slot());
  for (const auto& each : callbacks)
    call_back(each);
  for (const auto& each : std::exchange(at_end_, {}))
    each();
}

void dispatcher::at_end(std::function<void()> what) {
  const std::scoped_lock guard{mutex()};
  if (ended_)
    throw troupe::closed("use a pool", "it was terminated");
  at_end_.push_back(std::move(what));
}

} // namespace troupe::pooling
