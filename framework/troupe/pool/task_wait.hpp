// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/base/reading_iterator.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/pool/task_future.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <vector>

namespace troupe {

namespace pooling {

template <class T>
inline constexpr bool is_task_future = false;
template <class R, bool Many>
inline constexpr bool is_task_future<task_future<R, Many>> = true;

/// Results of tasks in a range.
template <class T>
concept task_futures = wait_sources_of_a_kind<T>
                       && is_task_future<std::ranges::range_value_t<T>>;

/// Results of tasks, to be waited for together. Futures without a state, which
/// have given their result, are passed over.
///
/// Those of one pool are looked at under one lock, by a thread that leads the
/// pool. For those of several, it waits as `wait_any` does for anything.
class task_group {
public:
  template <task_futures Range>
  explicit task_group(const Range& of) {
    bool several = false;
    for (const auto& each : of) {
      jobs_.push_back(each.job());
      if (!each.valid())
        continue;
      several = several || (pool_ && pool_ != each.pool());
      pool_ = each.pool();
    }
    if (several)
      sources_ = channel::sources_of(of);
  }

  /// The index of the first that is ready, waiting for it; nothing if `limit`
  /// passed, or if there is none to wait for.
  [[nodiscard]] std::optional<std::size_t> any(deadline limit) const {
    if (!sources_.empty())
      return channel::wait_first(sources_, limit);
    std::optional<std::size_t> found;
    if (pool_)
      static_cast<void>(pool_->wait(
        [&] {
          const auto at
            = std::find_if(jobs_.begin(), jobs_.end(), [](const auto* each) {
                return each != nullptr && each->is_done();
              });
          if (at == jobs_.end())
            return false;
          found = static_cast<std::size_t>(at - jobs_.begin());
          return true;
        },
        limit));
    return found;
  }

  /// Whether all are ready, waiting for them.
  [[nodiscard]] bool all(deadline limit) const {
    if (!sources_.empty())
      return channel::wait_each(sources_, limit);
    return !pool_
           || pool_->wait(
             [&] {
               return std::all_of(jobs_.begin(), jobs_.end(),
                                  [](const auto* each) {
                                    return each == nullptr || each->is_done();
                                  });
             },
             limit);
  }

  /// Passes over one from now on.
  void drop(std::size_t index) {
    jobs_[index] = nullptr;
    if (!sources_.empty())
      sources_[index] = wait_source{task_future<void>{}};
    if (std::all_of(jobs_.begin(), jobs_.end(),
                    [](const auto* each) { return each == nullptr; }))
      pool_.reset();
  }

  [[nodiscard]] bool empty() const noexcept {
    return !pool_;
  }

private:
  std::shared_ptr<dispatcher> pool_;
  std::vector<const job*> jobs_;
  /// Of several pools.
  std::vector<wait_source> sources_;
};

} // namespace pooling

// `wait_any` and `wait_all` of results of tasks: what wait_any.hpp gives, and
// faster where they are of one pool.

/// @blocks on the pools' workers
template <pooling::task_futures Range>
[[nodiscard]] std::optional<std::size_t> wait_any(const Range& of) {
  return pooling::task_group{of}.any(deadline::never());
}

template <pooling::task_futures Range, wait_limit Limit>
[[nodiscard]] std::optional<std::size_t>
wait_any(const Range& of, const Limit& limit) {
  const auto until = channel::to_deadline(limit);
  return pooling::task_group{of}.any(until);
}

template <pooling::task_futures Range>
[[nodiscard]] bool wait_all(const Range& of) {
  return pooling::task_group{of}.all(deadline::never());
}

template <pooling::task_futures Range, wait_limit Limit>
[[nodiscard]] bool wait_all(const Range& of, const Limit& limit) {
  const auto until = channel::to_deadline(limit);
  return pooling::task_group{of}.all(until);
}

/// The indices of results as these get ready, each once: Python's
/// `as_completed`.
///
///     for (const auto index : troupe::as_completed(results))
///       use(results[index].get());
///
/// It must not outlive the futures, and those that it has not given must keep
/// their results until it has. One thread uses it.
class as_completed {
public:
  template <pooling::task_futures Range>
  explicit as_completed(const Range& of) : left_(of) {
  }

  template <pooling::task_futures Range, wait_limit Limit>
  as_completed(const Range& of, const Limit& limit)
    : left_(of), limit_(channel::to_deadline(limit)) {
  }

  /// The next; nothing after the last. Throws `timed_out` when the limit has
  /// passed and some are not ready.
  /// @blocks on the pool's workers
  [[nodiscard]] std::optional<std::size_t> next() {
    if (left_.empty())
      return std::nullopt;
    const auto found = left_.any(limit_);
    if (!found)
      throw timed_out("wait for results of tasks", "some are not ready");
    left_.drop(*found);
    return found;
  }

  using iterator = reading_iterator<std::size_t, as_completed>;

  [[nodiscard]] iterator begin() noexcept {
    return iterator{*this};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

private:
  pooling::task_group left_;
  deadline limit_ = deadline::never();
};

} // namespace troupe
