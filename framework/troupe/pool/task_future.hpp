// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/calls/future_base.hpp>
#include <troupe/pool/dispatcher.hpp>
#include <troupe/pool/job_condition.hpp>
#include <troupe/process/remote_error.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// The result of a task, or of all tasks of a `map`, that a pool runs: the
/// shape of `std::future`. Dropping it drops the result, not the task.
///
/// A copy is a future of the same task, for a callback that has to know it. The
/// value goes to the first that asks.
///
/// `R` is what one task gives; `Many` says that there are several.
template <class R, bool Many = false>
class task_future : public calls::future_base<task_future<R, Many>> {
public:
  using value_type = std::conditional_t<
    Many && !std::is_void_v<R>,
    std::vector<std::conditional_t<std::is_void_v<R>, char, R>>, R>;

  task_future() noexcept = default;

  task_future(std::shared_ptr<pooling::dispatcher> pool,
              std::shared_ptr<pooling::job_of<R>> of) noexcept
    : pool_(std::move(pool)), of_(std::move(of)) {
  }

  [[nodiscard]] bool valid() const noexcept {
    return of_ != nullptr;
  }

  /// Waits for the result and gives it, once. Throws `remote_error` for what
  /// the task threw or its worker died of, `timed_out` for its hard limit,
  /// `cancelled`, `malformed_bytes` for a result whose `load` throws; of
  /// several tasks the first failure, when all are done. Throws
  /// `invalid_state` without a task, and where a copy gave the value already.
  /// Throws `limit_reached` while this process has no handle left for a large
  /// result, of this task or another: then it may be called again.
  /// @blocks on the pool's workers
  value_type get() {
    this->wait();
    const auto pool = std::move(pool_);
    const auto of = std::move(of_);
    const std::scoped_lock guard{pool->mutex()};
    if (const auto failure = of->first_failure())
      std::rethrow_exception(failure);
    if (std::exchange(of->taken, true))
      throw invalid_state("use the result of a task",
                          "a copy of this future gave it already");
    if constexpr (Many)
      return of->take_all();
    else
      return of->take(0);
  }

  /// Takes back what has not begun. A task that runs is asked to stop, through
  /// `this_task::stop_token`, and its result counts if it gives one.
  void cancel() const {
    state().cancel(of_, false);
  }

  /// The same, but the worker of a task that runs is killed and replaced.
  void kill() const {
    state().cancel(of_, true);
  }

  /// For `wait_any`: ready when everything is known. Null without a task.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return of_ ? pooling::when_done(pool_, of_) : nullptr;
  }

  /// Calls `what` once everything is known, perhaps at once, in a thread of the
  /// pool or of whoever waits for the pool. What was given before comes first.
  /// What `what` throws reaches nobody: a line on standard error names the pool
  /// and the exception.
  void when_done(std::function<void()> what) const {
    {
      const std::scoped_lock guard{state().mutex()};
      if (!of_->is_done()) {
        of_->on_done.push_back(std::move(what));
        return;
      }
    }
    // It may end this future.
    const auto pool = pool_;
    pool->call_back(what);
  }

  /// What is behind it, for layers above.
  [[nodiscard]] const std::shared_ptr<pooling::dispatcher>&
  pool() const noexcept {
    return pool_;
  }

  [[nodiscard]] const pooling::job* job() const noexcept {
    return of_.get();
  }

private:
  friend calls::future_base<task_future>;

  [[nodiscard]] pooling::dispatcher& state() const {
    if (!of_)
      throw invalid_state("use the result of a task",
                          "this future has none, or gave it already");
    return *pool_;
  }

  [[nodiscard]] bool wait_before(deadline limit) const {
    return state().wait([this] { return of_->is_done(); }, limit);
  }

  std::shared_ptr<pooling::dispatcher> pool_;
  std::shared_ptr<pooling::job_of<R>> of_;
};

} // namespace troupe
