// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/pool/task_future.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace troupe {

namespace pooling {

/// Results of tasks of one pool, to be waited for together. Futures without a
/// state, which have given their result, are passed over.
class task_group {
public:
  template <class R, bool Many>
  explicit task_group(std::span<const task_future<R, Many>> of) {
    for (const auto& each : of) {
      jobs_.push_back(each.job());
      if (!each.valid())
        continue;
      if (pool_ && pool_ != each.pool())
        throw invalid_argument("wait for results of tasks",
                               "they are of different pools",
                               "wait for those of each pool alone");
      pool_ = each.pool();
    }
  }

  /// The index of the first that is ready, waiting for it; nothing if `limit`
  /// passed, or if there is none to wait for.
  [[nodiscard]] std::optional<std::size_t> any(deadline limit) const {
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
};

} // namespace pooling

/// Waits until one of the results is ready, and says which: the first of those
/// that are. Nothing if `limit` passed, or if none of the futures has a result
/// to come. All are of one pool, and have a result that was not taken; else
/// `invalid_argument`, or it is passed over.
/// @blocks on the pool's workers
template <class R, bool Many>
[[nodiscard]] std::optional<std::size_t>
wait_any(const std::vector<task_future<R, Many>>& of,
         deadline limit = deadline::never()) {
  return pooling::task_group{std::span{of}}.any(limit);
}

/// Waits until all results are ready. Returns false if `limit` passed first.
/// @blocks on the pool's workers
template <class R, bool Many>
[[nodiscard]] bool wait_all(const std::vector<task_future<R, Many>>& of,
                            deadline limit = deadline::never()) {
  return pooling::task_group{std::span{of}}.all(limit);
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
  /// Throws `invalid_argument` for futures of different pools.
  template <class R, bool Many>
  explicit as_completed(const std::vector<task_future<R, Many>>& of,
                        deadline limit = deadline::never())
    : left_(std::span{of}), limit_(limit) {
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

  class iterator {
  public:
    using value_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(as_completed& from) : from_(&from), value_(from.next()) {
    }

    iterator& operator++() {
      value_ = from_->next();
      return *this;
    }

    void operator++(int) {
      ++*this;
    }

    [[nodiscard]] std::size_t operator*() const {
      return *value_;
    }

    friend bool operator==(const iterator& at, std::default_sentinel_t) {
      return !at.value_;
    }

  private:
    as_completed* from_;
    std::optional<std::size_t> value_;
  };

  [[nodiscard]] iterator begin() {
    return iterator{*this};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

private:
  pooling::task_group left_;
  deadline limit_;
};

} // namespace troupe
