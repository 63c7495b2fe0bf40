// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/worker.hpp>

#include <troupe/channel/items.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/cycles.hpp>
#include <troupe/os/heap.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/exit_status.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/run_command.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe {

namespace pooling {

namespace {

using mailbox::message;
using mailbox::visit_result;
using memory::run_memory;

/// What is finished is reported at least so often, so that a worker that dies
/// takes little with it.
constexpr std::chrono::microseconds report_after{1000};

/// Freed memory is kept for so long for the next task.
constexpr std::chrono::milliseconds keep_memory_for{500};

/// Asks the running task to stop, when the pool says so.
class stopper {
public:
  /// The token of the task that runs now.
  std::stop_token token(worker_note& note) {
    const std::scoped_lock guard{mutex_};
    if (!watches_.load(std::memory_order_relaxed)) {
      os::start_thread([this, &note] { watch(note); }).detach();
      watches_.store(true, std::memory_order_relaxed);
    }
    return source_.get_token();
  }

  /// Another task begins.
  void renew() {
    // relaxed: a token that another thread asks for now is of either task.
    if (!watches_.load(std::memory_order_relaxed))
      return;
    const std::scoped_lock guard{mutex_};
    if (source_.stop_requested())
      source_ = std::stop_source{};
  }

private:
  void watch(worker_note& note) {
    memory::wait_note waiting{memory::wait_kind::stop_request, &note,
                              deadline::never()};
    for (;;) {
      const auto wake_word = note.wake_word.load(std::memory_order_acquire);
      const auto wanted = note.stop_for.load(std::memory_order_acquire);
      if (wanted != 0 && wanted == note.running.load()) {
        const std::scoped_lock guard{mutex_};
        if (wanted == note.running.load())
          source_.request_stop();
      }
      waiting.sleeps(note.wake_word, wake_word);
      static_cast<void>(os::wait(note.wake_word, wake_word, deadline::never()));
    }
  }

  std::mutex mutex_;
  std::stop_source source_;
  /// There is a thread that watches; it runs until the process ends.
  // relaxed: set under the mutex, and only once. See `renew`.
  std::atomic<bool> watches_ = false;
};

stopper& the_stopper() {
  // Its thread uses it until the process ends.
  static auto& only = *new stopper;
  return only;
}

worker_note* own_note = nullptr;

constexpr const char* attempted = "run a task of a pool";

class worker final : public task_sink {
public:
  explicit worker(const worker_setup& setup)
    : setup_(setup),
      tasks_(box_of(setup.tasks)),
      results_(box_of(setup.results)),
      note_(note_of(setup.note)) {
    own_note = &note_;
    mailbox::spinner::of_this_thread().allow_moving();
    os::keep_large_blocks();
    if (counters_ != nullptr) {
      auto& own = counters_->worker;
      own.index.store(setup.index, std::memory_order_relaxed);
      own.since.store(os::cycles(), std::memory_order_relaxed);
      own.pool.store(setup.results.object().id(), std::memory_order_release);
    }
  }

  void serve() {
    hosting::set_default_stop_of_commands(this_task::stop_token);
    if (setup_.initializer.given != 0)
      initialize();
    while (auto chunk = take()) {
      TROUPE_CRASH_POINT("pool.worker.taken");
      chunk->run(head_.first, head_.last, *this);
      chunk.reset();
      if (setup_.most_tasks != 0 && done_ >= setup_.most_tasks)
        break;
    }
    if (setup_.finalizer.given != 0)
      finalizer_function::at(setup_.finalizer.location(), attempted)();
  }

  void begin(std::uint32_t index) override {
    const auto now = worker_note::packed(head_.chunk, index);
    if (head_.timed != 0)
      note_.started.store(
        std::chrono::steady_clock::now().time_since_epoch().count(),
        std::memory_order_relaxed);
    note_.running.store(now, std::memory_order_release);
    the_stopper().renew();
    if (notes_tasks_ || trace_until_.load(std::memory_order_relaxed) != 0)
      [[unlikely]]
      note_task();
    TROUPE_CRASH_POINT("pool.worker.run");
  }

  void fail(std::uint32_t index) override {
    failures_.push_back(
      {index, calls::failure::being_handled(),
       exit_status{run_memory::current().own_slot()}.last_lines()});
  }

  bool due(std::uint32_t) override {
    // Asking the clock costs as much as a small task: it is asked rarely where
    // tasks are many.
    if (--looks_left_ > 0)
      return false;
    const auto now = os::cycles();
    const auto since = now - looked_at_;
    looked_at_ = now;
    looks_ = since < period_ / 16 ? std::min(looks_ * 2, 256U) : 1;
    looks_left_ = looks_;
    show_busy(now);
    return now - reported_at_ > period_;
  }

  codec::packet report(std::uint32_t last) override {
    const result_head head{setup_.index, setup_.generation,
                           head_.chunk,  reported_,
                           last,         0};
    codec::packet result;
    codec::encoder to{result};
    to.write(&head, sizeof head);
    TROUPE_CRASH_POINT("pool.worker.encode");
    to.save(failures_);
    failures_.clear();
    end_task();
    done_ += last - reported_;
    reported_ = last;
    return result;
  }

  void send(codec::packet& report) override {
    TROUPE_CRASH_POINT("pool.worker.reply");
    const auto outcome = results_.put({report.content(), report.handles()},
                                      deadline::never());
    if (outcome != mailbox::put_outcome::done)
      // The pool is gone, and this process is about to be ended.
      std::exit(EXIT_SUCCESS);
    report.release_handles();
    TROUPE_CRASH_POINT("pool.worker.replied");
    note_.running.store(0, std::memory_order_release);
    looked_at_ = reported_at_ = os::cycles();
    looks_ = looks_left_ = 1;
    show_busy(reported_at_);
  }

private:
  /// Takes the next chunk, and its head into `head_`. Null at the end.
  std::unique_ptr<ready_chunk> take() {
    std::unique_ptr<ready_chunk> taken;
    bool ended = false;
    bool keeps = os::keeps_large_blocks();
    if (counters_ != nullptr)
      counters_->worker.function.store(0, std::memory_order_relaxed);
    while (!taken && !ended) {
      const auto outcome = tasks_.take(
        [&](const message& shown) {
          taken = read(shown, ended);
          return visit_result::taken;
        },
        1, keeps ? deadline::after(keep_memory_for) : deadline::never());
      ended = ended || outcome == mailbox::take_outcome::ended;
      if (outcome == mailbox::take_outcome::empty) {
        os::give_freed_memory_back();
        keeps = false;
      }
    }
    return taken;
  }

  /// Null if there is nothing to run: `ended` says whether because of the end.
  std::unique_ptr<ready_chunk> read(const message& shown, bool& ended) {
    if (shown.body.size() < sizeof head_)
      return nullptr;
    std::memcpy(&head_, shown.body.data(), sizeof head_);
    if (head_.what == task_head::end) {
      ended = true;
      return nullptr;
    }
    reported_ = head_.first;
    note_.running.store(worker_note::packed(head_.chunk, head_.first),
                        std::memory_order_release);
    looked_at_ = reported_at_ = os::cycles();
    looks_ = looks_left_ = 1;
    TROUPE_CRASH_POINT("pool.worker.decode");
    try {
      codec::decoder from{shown.body.subspan(sizeof head_), shown.handles,
                          "the tasks of a pool"};
      const auto& function = task_function::at({head_.module, head_.offset},
                                               attempted);
      show_taken(function);
      return function(from);
    } catch (...) {
      // None of the chunk's tasks can be run: each fails with the reason.
      for (auto index = head_.first; index < head_.last; ++index)
        fail(index);
      auto said = report(head_.last);
      send(said);
      return nullptr;
    }
  }

  // What it shows of itself. relaxed: whoever looks wants an idea of it.

  void show_taken(const calls::entry& function) {
    if (counters_ == nullptr)
      return;
    auto& own = counters_->worker;
    if (&function != function_) {
      function_ = &function;
      function_number_ = memory::number_of_text(function.shown_name());
    }
    add(own.idle, looked_at_ - own.since.load(std::memory_order_relaxed));
    own.since.store(looked_at_, std::memory_order_relaxed);
    own.function.store(function_number_, std::memory_order_relaxed);
  }

  void show_busy(std::uint64_t now) noexcept {
    if (counters_ == nullptr)
      return;
    auto& own = counters_->worker;
    add(own.busy, now - own.since.load(std::memory_order_relaxed));
    own.since.store(now, std::memory_order_relaxed);
    own.tasks.store(done_, std::memory_order_relaxed);
  }

  static void add(std::atomic<std::uint64_t>& sum,
                  std::uint64_t more) noexcept {
    sum.store(sum.load(std::memory_order_relaxed) + more,
              std::memory_order_relaxed);
  }

  /// A task begins, in a run that makes a report or is traced.
  void note_task() noexcept {
    end_task();
    task_began_ = os::cycles();
    if (memory::is_traced()) {
      if (std::exchange(traced_chunk_, head_.chunk) != head_.chunk)
        memory::trace(memory::trace_kind::chunk_taken, 0,
                      memory::link_of_chunk(setup_.results.object().id(),
                                            head_.chunk));
      memory::trace(memory::trace_kind::task_begins, 0, function_number_);
      task_traced_ = true;
    }
  }

  /// The task that `note_task` was told of has ended, if there is one.
  void end_task() noexcept {
    if (task_began_ == 0)
      return;
    if (std::exchange(task_traced_, false))
      memory::trace(memory::trace_kind::task_ends, 0, function_number_);
    const auto began = std::exchange(task_began_, 0);
    const auto lasted = os::cycles() - began;
    if (counters_ == nullptr)
      return;
    auto& least
      = *std::min_element(counters_->slowest.begin(), counters_->slowest.end(),
                          [](const auto& a, const auto& b) {
                            return a.lasted.load(std::memory_order_relaxed)
                                   < b.lasted.load(std::memory_order_relaxed);
                          });
    if (lasted <= least.lasted.load(std::memory_order_relaxed))
      return;
    least.began.store(began, std::memory_order_relaxed);
    least.function.store(function_number_, std::memory_order_relaxed);
    least.lasted.store(lasted, std::memory_order_relaxed);
  }

  void initialize() {
    ready_initializer call;
    std::exception_ptr failure;
    while (!call && !failure) {
      const auto outcome = tasks_.take(
        [&](const message& shown) {
          try {
            call = initializer_function::at(setup_.initializer.location(),
                                            attempted)(calls::arguments{
              shown.body.subspan(std::min(sizeof head_, shown.body.size())),
              shown.handles});
          } catch (...) {
            failure = std::current_exception();
          }
          return visit_result::taken;
        },
        1, deadline::never());
      if (outcome == mailbox::take_outcome::ended)
        return;
    }
    if (failure)
      std::rethrow_exception(failure);
    TROUPE_CRASH_POINT("pool.worker.initialize");
    state_of_this_worker() = call();
  }

  const worker_setup& setup_;
  mailbox::message_queue& tasks_;
  mailbox::message_queue& results_;
  worker_note& note_;
  memory::process_counters* counters_ = run_memory::current().own_counters();
  const bool notes_tasks_ = run_memory::reports();
  const std::atomic<std::int64_t>& trace_until_
    = run_memory::current().header().trace_until;
  const calls::entry* function_ = nullptr;
  std::uint32_t function_number_ = 0;
  std::uint64_t task_began_ = 0;
  bool task_traced_ = false;
  std::uint32_t traced_chunk_ = 0;
  task_head head_{};
  std::uint32_t reported_ = 0;
  std::uint64_t done_ = 0;
  std::vector<task_failure> failures_;

  std::uint64_t period_ = os::cycle_rate{}.cycles_in(report_after);
  std::uint64_t reported_at_ = 0;
  std::uint64_t looked_at_ = 0;
  std::uint32_t looks_ = 1;
  std::uint32_t looks_left_ = 1;
};

} // namespace

worker_state_cell& state_of_this_worker() noexcept {
  static worker_state_cell only;
  return only;
}

function_place function_place::of(const calls::entry* function) {
  if (function == nullptr)
    return {};
  const auto at = function->location();
  return {at.module, at.offset, 1};
}

void worker_setup::save(codec::encoder& to) const {
  to.save(tasks);
  to.save(results);
  to.save(note);
  to.save(index);
  to.save(generation);
  to.save(most_tasks);
  to.save(initializer);
  to.save(finalizer);
}

worker_setup worker_setup::load(codec::decoder& from) {
  auto tasks = from.load<message_queue_part>();
  auto results = from.load<message_queue_part>();
  auto note = from.load<note_part>();
  const auto index = from.load<std::uint32_t>();
  const auto generation = from.load<std::uint32_t>();
  const auto most_tasks = from.load<std::uint64_t>();
  const auto initializer = from.load<function_place>();
  const auto finalizer = from.load<function_place>();
  return {std::move(tasks), std::move(results), std::move(note), index,
          generation,       most_tasks,         initializer,     finalizer};
}

void serve_pool(const worker_setup& setup) {
  worker{setup}.serve();
  state_of_this_worker() = {};
}

} // namespace pooling

std::stop_token this_task::stop_token() {
  if (pooling::own_note == nullptr)
    return {};
  return pooling::the_stopper().token(*pooling::own_note);
}

} // namespace troupe
