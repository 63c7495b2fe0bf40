// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/state/attempt.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace troupe::held {

/// A queue in a state: what a `held::queue` is a handle of. Calls that have to
/// wait say so.
template <class T>
class waiting_queue {
public:
  waiting_queue() = default;

  explicit waiting_queue(std::size_t max_size) : max_size_(max_size) {
  }

  attempt<void> put(const T& item) {
    require_open();
    if (full())
      return not_yet;
    items_.push_back(item);
    ++unfinished_;
    return {};
  }

  /// Waits until all fit, or until nothing is in.
  attempt<void> put_many(const std::vector<T>& items) {
    require_open();
    if (max_size_ != 0 && !items_.empty()
        && items_.size() + items.size() > max_size_)
      return not_yet;
    items_.insert(items_.end(), items.begin(), items.end());
    unfinished_ += items.size();
    return {};
  }

  attempt<T> get() {
    if (items_.empty()) {
      require_open();
      return not_yet;
    }
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  attempt<std::vector<T>> get_many(std::size_t most) {
    if (items_.empty() && most != 0) {
      require_open();
      return not_yet;
    }
    const auto count
      = static_cast<std::ptrdiff_t>(std::min(most, items_.size()));
    std::vector<T> result(std::make_move_iterator(items_.begin()),
                          std::make_move_iterator(items_.begin() + count));
    items_.erase(items_.begin(), items_.begin() + count);
    return result;
  }

  /// Waits until there is an item, or the end, and takes nothing.
  [[nodiscard]] attempt<void> readable() const {
    if (items_.empty() && !closed_)
      return not_yet;
    return {};
  }

  void task_done() {
    if (unfinished_ == items_.size())
      throw invalid_state("say that a task of a queue is done",
                          "as many are done as were taken",
                          "call task_done once for each item");
    --unfinished_;
  }

  attempt<void> join() {
    if (unfinished_ != 0)
      return not_yet;
    return {};
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return items_.size();
  }

  [[nodiscard]] bool full() const noexcept {
    return max_size_ != 0 && items_.size() >= max_size_;
  }

  void close() noexcept {
    closed_ = true;
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return closed_;
  }

private:
  void require_open() const {
    if (closed_)
      throw closed("use a queue", "it is closed",
                   "close it only when nobody puts any more");
  }

  std::deque<T> items_;
  std::size_t max_size_ = 0;
  std::uint64_t unfinished_ = 0;
  bool closed_ = false;
};

} // namespace troupe::held
