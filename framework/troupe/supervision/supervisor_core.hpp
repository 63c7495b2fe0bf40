// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/supervision/child_count.hpp>
#include <troupe/supervision/child_policy.hpp>
#include <troupe/supervision/restart_limit.hpp>
#include <troupe/supervision/restart_report.hpp>
#include <troupe/supervision/supervisor_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::supervision {

/// The number of a child in its supervisor: 0, 1, 2 … in the order of `add`,
/// none used twice.
using child_number = std::uint64_t;

/// The number of a start, of whichever child; none is used twice. It tells a
/// child's process from the one before.
using start_number = std::uint64_t;

/// The process that has to follow a child when that ends.
enum class child_process : std::uint8_t {
  /// None: the child has no process, or it is one.
  none,
  /// Others live there, too. It is killed with a child that does not end.
  shared,
  /// The child's own. It has to be gone when the child is.
  own,
};

/// What the end of a child is to its supervisor.
enum class end_notice : std::uint8_t {
  /// Part of the work: it is restarted without a word.
  none,
  /// It is reported, and not counted.
  reported,
  /// It is reported and counted.
  counted,
  /// The run ends: nobody is restarted any more.
  last,
};

/// How a child has ended.
struct child_end {
  end_cause cause = end_cause::crashed;
  end_notice notice = end_notice::counted;
  std::int32_t pid = 0;
  std::string reason = {};
};

enum class child_phase : std::uint8_t {
  /// It does not run, and will not unless somebody asks for it.
  ended,
  starting,
  running,
  /// It has ended by itself, which is not yet dealt with.
  dead,
  /// It was told to end, or killed, and is not gone.
  ending,
  /// Its start has failed, and is tried again.
  failed,
};

/// A child as its supervisor sees it.
struct child_state {
  /// Why it is being started.
  enum class purpose : std::uint8_t { request, restart };

  child_number number = 0;
  child_policy policy = {};
  child_phase phase = child_phase::ended;
  start_number start = 0;
  /// How often it was started again after an end.
  std::uint32_t restarts = 0;

  child_process process = child_process::none;
  purpose of_start = purpose::request;
  /// How often in a row its start has failed.
  std::uint32_t failures = 0;
  /// Its start was given up, and has not come back.
  bool given_up = false;
  /// While it ends: it is gone, and its process is not.
  bool down = false;
  bool killed = false;
  /// Why it is ended right after its start, if it is.
  std::optional<std::string> refusal = {};
  /// Until when the phase may last.
  deadline until = deadline::never();
};

/// What is to be done. Each `start` is answered by `started`, `start_failed` or
/// `started_in_vain`, and each `end` and `kill` sooner or later by `ended`.
struct step {
  enum class kind : std::uint8_t {
    start,
    /// End the start that is under way.
    give_up_start,
    /// That did not help. Leave it, and call `start_failed`.
    abandon_start,
    /// Tell the child to end.
    end,
    /// Kill its process; where it has none, itself.
    kill,
    /// Kill the process of the start `start`, whose child has ended before.
    kill_leftover,
    /// The child is no longer there.
    forget,
    report,
    /// It was one restart too many, or the run ends: end, and start nobody.
    give_up,
  };

  kind what = kind::start;
  child_number child = 0;
  start_number start = 0;
  /// Of `report` and `give_up`.
  end_cause cause = end_cause::crashed;
  restart_report report = {};
};

/// What has to happen before there is another step.
struct awaited {
  enum class kind : std::uint8_t {
    /// The start of the child comes back.
    start,
    /// The child ends.
    end,
    /// The process of the start `start` is gone.
    process,
  };

  kind what = kind::start;
  child_number child = 0;
  start_number start = 0;
  /// Then `next` has a step.
  deadline until = deadline::never();
};

/// What a supervisor decides: who is started, restarted and ended, when, in
/// which order, and when it is too much. It does nothing itself and waits for
/// nothing: it is told what has happened and what time it is, and says what is
/// to be done. Who carries that out has actors, or workers, for children.
///
///     while (const auto step = core.next(clock::now()))
///       carry_out(*step);
///     // then wait for what `awaits` says, and tell of it
///
/// One thing after the other: while it `awaits` something, deaths of others are
/// kept, and `judge_next` takes them up afterwards.
///
/// Not for several threads at a time.
class supervisor_core {
public:
  struct settings {
    enum strategy strategy = strategy::one_for_one;
    restart_limits limits = {};
    /// The pause before a start that failed is tried again, doubled each time
    /// up to `longest_pause`. 0: none.
    std::chrono::nanoseconds first_pause{0};
    std::chrono::nanoseconds longest_pause{0};
  };

  explicit supervisor_core(const settings& how);

  // What is asked for ---------------------------------------------------------

  /// Adds a child behind the others; it is started next. Throws
  /// `invalid_argument`, of what was attempted, for a name that is taken or a
  /// policy that cannot be.
  child_number add(const std::string& attempted, child_policy policy);

  /// Starts one that has ended. Throws `unknown_name`, `invalid_state`.
  child_number start_again(const std::string& id);

  /// Ends a child, or no longer tries to restart it; a temporary one is
  /// forgotten. Throws `unknown_name`.
  child_number terminate(const std::string& id);

  /// Forgets one that has ended. Throws `unknown_name`, `invalid_state`.
  child_number remove(const std::string& id);

  /// The same for one whose first start failed; none of the name is no error.
  void discard(child_number which);

  /// Ends all children, the last first, each with its process before the next,
  /// and waits for the processes of those that ended before. Nobody is started
  /// any more. May be called whatever has happened.
  void end_all();

  /// Ends all children at the same time, each as `how` says. If it is called
  /// again they are told again.
  void end_all_at_once(class shutdown how, clock::time_point now);

  // What has happened ---------------------------------------------------------

  void started(child_number which, child_process process);

  /// @pre it is being started
  void start_failed(child_number which, const std::string& reason);

  /// It was started and cannot stay: it is ended first, and then its start has
  /// failed.
  void started_in_vain(child_number which, child_process process,
                       const std::string& reason);

  /// Ends the start that is under way, if one is.
  void give_up_start(clock::time_point now);

  /// A child has ended, whether it was told to or not. Does nothing for one
  /// that does not run.
  void ended(child_number which, child_end how, clock::time_point now);

  /// The same for one that nobody needs any more.
  void stays_ended(child_number which, clock::time_point now);

  /// The process of a start is gone.
  void process_gone(start_number of);

  /// A child has done what it is for.
  void worked(child_number which) noexcept {
    limit_.end_row();
    if (auto* one = look_up(which))
      one->failures = 0;
  }

  // What is to be done --------------------------------------------------------

  /// The next step of what was begun; nothing if there is none, or something is
  /// awaited.
  [[nodiscard]] std::optional<step> next(clock::time_point now);

  /// What `next` waits for, if it does.
  [[nodiscard]] std::optional<awaited> awaits() const;

  /// Deals with the next child that has ended by itself: `next` says how.
  /// Returns false if there is none. @pre `next` has nothing
  bool judge_next(clock::time_point now);

  /// Deals with the next start that failed or whose pause is over, likewise. A
  /// failed start is another end of its child.
  bool retry_next(clock::time_point now);

  [[nodiscard]] bool has_failed_start() const noexcept {
    return !failed_.empty();
  }

  /// Whether `next`, `judge_next` or `retry_next` may do anything now or later,
  /// though nothing happens.
  [[nodiscard]] bool has_work() const noexcept {
    return !out_.empty() || !plan_.empty() || !dead_.empty() || !failed_.empty()
           || timed_ > 0 || !leftovers_.empty();
  }

  /// When they do, at the latest.
  [[nodiscard]] deadline next_time() const noexcept;

  // What there is -------------------------------------------------------------

  /// All children, in the order of their start.
  [[nodiscard]] const std::vector<child_state>& children() const noexcept {
    return children_;
  }

  /// Throws `unknown_name`.
  [[nodiscard]] const child_state& find(std::string_view id) const;

  /// @pre there is such a child
  [[nodiscard]] const std::string& name_of(child_number which) const noexcept;

  [[nodiscard]] child_count count() const;

  /// Whether the process of that start is to go, and its child has ended
  /// before.
  [[nodiscard]] bool is_leftover(start_number of) const noexcept;

private:
  struct task {
    enum class kind : std::uint8_t { start, end };
    kind what = kind::start;
    child_number child = 0;
    child_state::purpose why = child_state::purpose::request;
  };

  struct death {
    child_number child = 0;
    child_end how = {};
  };

  struct leftover {
    start_number start = 0;
    deadline until = deadline::never();
    bool killed = false;
  };

  [[nodiscard]] child_state* look_up(child_number which) noexcept {
    // So it is where none was forgotten, as in a pool.
    if (which < children_.size() && children_[which].number == which)
      return &children_[which];
    return search(which);
  }

  [[nodiscard]] child_state* search(child_number which) noexcept;
  [[nodiscard]] child_state& find_ended(const char* what,
                                        const std::string& id);
  void forget(child_state& one);

  void set_limit(child_state& one, deadline until) noexcept;
  void set_phase(child_state& one, child_phase phase) noexcept;
  void push(step::kind what, const child_state& one);
  void stop_restarts() noexcept;
  void drop_death(const child_state& of);
  void done_with(const child_state& one) noexcept;
  void begin(const task& what, clock::time_point now);
  bool look_at_limits(clock::time_point now);
  void limit_passed(child_state& one, clock::time_point now);
  bool look_at_leftovers(clock::time_point now);

  void begin_start(child_state& one, child_state::purpose why,
                   clock::time_point now);
  void give_up_start(child_state& one, clock::time_point now);
  void begin_restart(child_state& dead);
  [[nodiscard]] bool allows(const child_state& one, const child_end& how,
                            clock::time_point now);
  void restart_or_pause(child_state& one, end_cause cause,
                        clock::time_point now);

  void begin_end(child_state& one, clock::time_point now);
  void kill(child_state& one, clock::time_point now);
  void is_down(child_state& one, clock::time_point now);
  void finish_end(child_state& one);
  void leave_process(const child_state& one, clock::time_point now);

  settings how_;
  restart_limit limit_;
  std::vector<child_state> children_;
  child_number next_child_ = 0;
  start_number starts_ = 0;
  /// What was begun, task by task, and the child that the first task that is
  /// not done is about.
  std::deque<task> plan_;
  std::optional<child_number> current_;
  std::deque<step> out_;
  /// Children that have ended by themselves, and starts that failed.
  std::deque<death> dead_;
  std::deque<death> failed_;
  std::vector<leftover> leftovers_;
  /// How many children have a limit.
  std::size_t timed_ = 0;
  bool over_ = false;
  bool ends_all_ = false;
};

} // namespace troupe::supervision
