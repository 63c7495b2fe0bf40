// SPDX-License-Identifier: BSL-1.0

// Of the dispatcher: its workers, as the supervisor core says.

#include <troupe/pool/dispatcher.hpp>

#include <troupe/calls/failure.hpp>
#include <troupe/pool/print_end.hpp>

#include <chrono>
#include <csignal>
#include <utility>

namespace troupe::pooling {

namespace {

using std::chrono::steady_clock;
using supervision::end_cause;
using supervision::end_notice;

} // namespace

/// What the death of a worker is to the pool: nothing if a task is to blame or
/// it ended as it should.
supervision::child_end dispatcher::end_of(const member& dead, const death& of) {
  supervision::child_end end;
  end.reason = of.how.description();
  if (of.how.success() || of.running != 0 || dead.by_force
      || dead.overdue != 0) {
    end.cause = end_cause::by_itself;
    end.notice = end_notice::none;
    return end;
  }
  if (dead.has_run_task)
    end.notice = end_notice::reported;
  if (!of.how.exited() && !of.how.signaled() && !of.how.threw()) {
    end.cause = end_cause::not_made;
    return end;
  }
  end.pid = of.pid;
  if (of.how.signal() == SIGKILL)
    end.cause = end_cause::killed;
  return end;
}

/// One that is started after the last task would never be told to end.
bool dispatcher::starts_nobody() const {
  return broken_ || ended_ || (closed_ && waiting_.empty());
}

void dispatcher::fill_vacancies() {
  if (children_.has_work() && !starts_nobody())
    supervise();
}

/// Does what the supervisor core says.
void dispatcher::supervise() {
  do {
    while (const auto step = children_.next(steady_clock::now()))
      carry_out(*step);
  } while (children_.judge_next(steady_clock::now())
           || children_.retry_next(steady_clock::now()));
}

void dispatcher::carry_out(const supervision::step& what) {
  using kind = supervision::step::kind;
  auto& one = *members_[what.child];
  switch (what.what) {
    case kind::start: return replace(one);
    case kind::end: return let_end(one);
    case kind::report: return tell(what);
    case kind::give_up: return give_up(story_of(what, one));
    // Starts have no limit here, `terminate` kills, and nobody is forgotten.
    default: return;
  }
}

/// Starts a worker anew.
void dispatcher::replace(member& one) {
  try {
    start(one);
    children_.started(one.index, supervision::child_process::none);
  } catch (...) {
    one.refusal = std::current_exception();
    children_.start_failed(one.index,
                           calls::failure::being_handled().full_text());
  }
}

/// Lets a worker end after what it was given.
void dispatcher::let_end(const member& one) {
  const task_head head{task_head::end, 0, 0, 0, 0, 0, 0, 0};
  if (one.runner.joinable())
    static_cast<void>(
      box_of(*one.tasks)
        .put({std::as_bytes(std::span{&head, 1})}, deadline::never()));
}

/// A worker has ended, or was not made, with no task to blame.
void dispatcher::tell(const supervision::step& what) {
  auto report = what.report;
  report.restarts = members_[what.child]->generation;
  callbacks_.push_back([hook = options_.report, report = std::move(report)] {
    try {
      if (hook)
        return hook(report);
    } catch (...) {
      // Then the line, as without a hook.
    }
    print_end(report);
  });
}

/// Why the pool is broken, with whose end was too much.
std::exception_ptr dispatcher::story_of(const supervision::step& last,
                                        const member& of) {
  if (of.refusal)
    return of.refusal;
  const bool made = last.cause != end_cause::not_made;
  return std::make_exception_ptr(process_died(
    "run a pool",
    std::string{made ? "its workers end before they run a task"
                     : "its workers cannot be started"}
      + "; the last was " + of.name + (made ? ", which " : ": ")
      + last.report.reason,
    made ? "look at its initializer, and at what it wrote to standard error"
         : "lower pool_options::size, or raise the limit"));
}

} // namespace troupe::pooling
