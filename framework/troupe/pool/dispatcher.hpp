// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/counters.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/pool/job.hpp>
#include <troupe/pool/pool_options.hpp>
#include <troupe/pool/worker.hpp>
#include <troupe/process/start.hpp>
#include <troupe/supervision/supervisor_core.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe::pooling {

/// Arguments of the tasks of a chunk, for as often as they are sent.
struct chunk_body {
  codec::packet message;
};

/// Tasks that go to a worker in one message.
struct chunk {
  std::uint32_t number = 0;
  std::shared_ptr<job> of;
  std::shared_ptr<chunk_body> body;
  const task_function* function = nullptr;
  std::uint32_t tasks = 0;
  /// Those of the body's tasks that are to be run and are not yet reported.
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  /// Index in the job of the body's first task.
  std::size_t index = 0;
  /// How many workers have died of its task; then it has only one.
  std::uint32_t deaths = 0;
};

/// The supervising side of a pool: keeps what is not yet sent, gives each
/// worker a little at a time, takes results, and replaces the dead.
///
/// One thread at a time *leads*: it takes results and looks for deaths and
/// limits. Whoever waits for a result leads if nobody does, so that nothing is
/// handed from thread to thread; a thread of the pool leads for those who do
/// not wait, from the first time that this is needed.
///
/// # What a crash leaves
/// Of a dead worker the task that it ran fails, or is run again where retries
/// are left. What it had been given and not begun goes back to the front of the
/// line, and so does what it had finished within the last millisecond and not
/// reported: that is run again. The dead worker is replaced.
///
/// After Ctrl-C or SIGTERM nobody is replaced and nothing begins: a task that
/// listens may end, and all else fails with `cancelled`; what it ran is asked
/// to stop, and ends with the pool at the latest. In a root that does not
/// listen nobody is told: it dies when its processes have ended.
///
/// # A fork in user code
/// The copy has none of this: no workers, no thread of the pool, and a mutex
/// that may have been locked at the fork. Its end touches nothing, and what
/// uses it throws `invalid_state`.
class dispatcher {
public:
  /// The last owner may be a callback, and go in the thread of the pool: then
  /// another thread destroys it, for this one is waited for. One in a process
  /// that was forked off its own is never destroyed.
  [[nodiscard]] static std::shared_ptr<dispatcher>
  make(const pool_options& options, const initializer_function* initializer,
       codec::packet arguments, const finalizer_function* finalizer);

  dispatcher(const pool_options& options,
             const initializer_function* initializer, codec::packet arguments,
             const finalizer_function* finalizer);
  ~dispatcher();
  dispatcher(const dispatcher&) = delete;
  dispatcher& operator=(const dispatcher&) = delete;

  /// The head that a message's body begins with, for arguments to follow.
  static void begin_message(codec::packet& message, std::uint32_t tasks);

  /// Corrects the number of tasks, when it is known only afterwards.
  static void set_tasks(codec::packet& message, std::uint32_t tasks) noexcept;

  /// Appends a chunk of `tasks` tasks to a job. Throws `closed`, `cancelled`.
  void submit(const std::shared_ptr<job>& to, const task_function& function,
              codec::packet message, std::uint32_t tasks);

  /// No more tasks will come for that job.
  void complete(const std::shared_ptr<job>& of);

  /// The same two in one, for a job of one chunk. `accept` is called under the
  /// mutex before anything can have come of the job; returns whether it wants
  /// the chunk still, and with false nothing happens.
  void submit_whole(const std::shared_ptr<job>& to,
                    const task_function& function, codec::packet message,
                    std::uint32_t tasks, const std::function<bool()>& accept);

  /// Takes the results that are there, unless somebody leads, who will.
  /// @pre the caller holds the mutex
  void take_what_is_there() noexcept;

  /// Why no task begins any more: the pool broke or was terminated. Else null.
  /// @pre the caller holds the mutex
  [[nodiscard]] std::exception_ptr refusal() const;

  /// Lets whoever waits look again at what `wait` was given.
  void wake_who_waits();

  /// Waits, leading if need be, until `ready` or `limit`. `ready` is called
  /// under the mutex. Returns whether it is ready. Throws `limit_reached` if
  /// this process has no handle left for a large result: that is lost to
  /// nobody, and the next who waits tries again. Where nobody waits every task
  /// fails with it. Throws `cancelled` in a thread that is stopped:
  /// `stop_of_thread`.
  bool wait(const std::function<bool()>& ready, deadline limit);

  /// Takes what results there are, unless another thread leads, and returns
  /// whether the job is done. Waits for nobody but for callbacks that it calls.
  /// Throws as `wait`.
  [[nodiscard]] bool poll(const job& of);

  /// From now on this process is notified when `poll` may have become true:
  /// by the workers' results, and by whoever leads. Counted.
  void watch();
  void unwatch() noexcept;

  /// When to `poll` though there was no notification: a limit of a task is
  /// near.
  [[nodiscard]] deadline look_again();

  /// From now on somebody leads also while nobody waits. To be called after
  /// each task that nobody waits for: its call wakes who leads.
  void keep_a_leader();

  /// Takes back what has not begun. What runs is asked to stop, or killed.
  void cancel(const std::shared_ptr<job>& of, bool by_force);

  void close();
  bool join(deadline limit);
  /// Returns when the workers are gone. The pool answers meanwhile. Does
  /// nothing in a process that was forked off the pool's.
  void terminate();

  /// Has `what` called at the end of `terminate`. Throws `closed` after it.
  void at_end(std::function<void()> what);

  /// Calls what a user wants to be called. Should that throw, a line on
  /// standard error says so: whoever happens to call it is not the one to be
  /// told.
  void call_back(const std::function<void()>& what) const noexcept;

  [[nodiscard]] std::uint32_t size() const noexcept {
    return options_.size;
  }

  [[nodiscard]] std::vector<process_view> workers();

  /// Throws `invalid_state` in a process that was forked off the pool's.
  [[nodiscard]] std::mutex& mutex() {
    require_original();
    return mutex_;
  }

  /// Whether this process was forked off the pool's.
  [[nodiscard]] bool is_copy() const noexcept {
    return owner_ != os::this_pid();
  }

private:
  struct member {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    process runner;
    std::string name;
    std::optional<message_queue_part> tasks;
    std::optional<note_part> note;
    std::deque<chunk> given;
    /// Killed because the task that its note named so ran too long; or 0.
    std::uint64_t overdue = 0;
    /// Killed because what it ran was cancelled.
    bool by_force = false;
    std::uint64_t stopped = 0;
    /// This process has run a task.
    bool has_run_task = false;
    /// Why it could not be made, if it could not.
    std::exception_ptr refusal;

    /// Whether it may be given tasks. One that was killed dies a moment later,
    /// and must not begin anything until then.
    [[nodiscard]] bool can_work() const noexcept {
      return runner.joinable() && overdue == 0 && !by_force;
    }
  };

  /// How a worker has died.
  struct death {
    const exit_status& how;
    std::int32_t pid;
    /// What its note named as begun.
    std::uint64_t running;
    /// Its end belongs to that of the run.
    bool winding_up;
  };

  using lock = std::unique_lock<std::mutex>;

  [[nodiscard]] static std::int64_t now() noexcept;
  [[nodiscard]] static std::exception_ptr
  cancelled_because(const std::string& reason);

  void require_original() const;
  void start(member& one);
  void start_all();
  /// What the pool shows of itself.
  [[nodiscard]] memory::pool_counters& shown() const noexcept {
    return *counters_.as<memory::pool_counters>();
  }
  void show_waiting() const noexcept;
  void dispatch();
  void even_out();
  void dispatch_to(member& to, std::uint32_t credit);
  [[nodiscard]] bool take_back(member& from, std::deque<chunk>& into);
  void requeue(std::deque<chunk> back);
  static void ask_to_stop(member& whom, std::uint64_t running) noexcept;
  void work_as_leader(lock& held, deadline limit);
  void look(lock& held, deadline limit);
  void do_work();
  void wake_watchers() noexcept;
  void leave_watchers() noexcept;
  void call_all(lock& held);
  bool take_results();
  void read(const mailbox::message& shown);
  void look_for_deaths();
  void on_worker_death(member& dead, const exit_status& how);
  void divide(chunk which, const member& dead, const death& of,
              std::deque<chunk>& again);
  void fail_begun(const chunk& which, std::uint32_t task, const member& dead,
                  const death& of);
  [[nodiscard]] static supervision::child_end end_of(const member& dead,
                                                     const death& of);
  [[nodiscard]] bool starts_nobody() const;
  void fill_vacancies();
  void supervise();
  void carry_out(const supervision::step& what);
  void replace(member& one);
  static void let_end(const member& one);
  void tell(const supervision::step& what);
  [[nodiscard]] static std::exception_ptr
  story_of(const supervision::step& last, const member& of);
  void look_at_limits();
  [[nodiscard]] deadline next_look(deadline limit) const;
  enum class ending : std::uint8_t { ran, never_begun };

  void check_open() const;
  [[nodiscard]] static chunk
  make_chunk(const std::shared_ptr<job>& to, const task_function& function,
             codec::packet message, std::uint32_t tasks);
  void add(chunk made);
  [[nodiscard]] std::uint32_t next_number() noexcept;
  void settle(job& of, std::size_t first, std::size_t last, ending how);
  void fail(job& of, std::size_t index, std::exception_ptr why, ending how);
  /// They have not run, or not to their end.
  void fail(const chunk& rest, const std::exception_ptr& why);
  void fail_all(const std::exception_ptr& why);
  void give_up(std::exception_ptr why);
  void wind_up();
  [[nodiscard]] static bool listens(const member& one);
  void abandon_running();
  void end_abandoned();
  void end_workers();
  void notify_self();
  void run_background();
  [[nodiscard]] bool idle() const;

  std::int32_t owner_ = os::this_pid();
  pool_options options_;
  const initializer_function* initializer_;
  codec::packet arguments_;
  const finalizer_function* finalizer_;
  message_queue_part results_;
  memory::reference counters_;
  /// By their number in `children_`, which decides who is started and when it
  /// is too much.
  std::vector<std::unique_ptr<member>> members_;
  supervision::supervisor_core children_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<chunk> waiting_;
  std::vector<std::function<void()>> callbacks_;
  std::vector<std::function<void()>> at_end_;
  bool leading_ = false;
  std::uint32_t wanting_ = 0;
  /// Threads that wait for results beside other things: see `watch`.
  std::uint32_t watching_ = 0;
  /// This process is among the watchers of the results.
  bool entered_ = false;
  bool closed_ = false;
  bool ended_ = false;
  /// All workers are gone after `ended_`.
  bool gone_ = false;
  std::exception_ptr broken_;
  std::uint32_t next_chunk_ = 0;
  std::uint64_t submitted_ = 0;
  std::uint32_t deaths_seen_ = 0;
  bool limits_matter_ = false;
  /// Nanoseconds from one result to the next, of one worker, roughly.
  double pace_ = 1e9;
  std::int64_t last_result_ = 0;
  // seq_cst: counted behind what is new. `look` reads it before it lets go of
  // the mutex, and again once it has said that it sleeps: see
  // `sleep_until_notified`.
  std::atomic<std::uint32_t> news_{0};
  std::thread background_;
  bool stop_background_ = false;
};

} // namespace troupe::pooling
