// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>
#include <troupe/pool/task_message.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe::pooling {

/// Tasks that were submitted together, and what became of them: a call of
/// `map`, or of `apply`. Guarded by the dispatcher's mutex.
class job {
public:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Reads the values of the tasks [next, last) but for the failed ones. Throws
  /// what a value's `load` throws; then `next` is its task, and those before it
  /// are read.
  virtual void accept(std::size_t& next, std::size_t last,
                      const std::map<std::size_t, std::exception_ptr>& failed,
                      codec::decoder& from)
    = 0;

  [[nodiscard]] bool is_done() const noexcept {
    return complete_ && finished_ == expected_;
  }

  /// The first failure, by index.
  [[nodiscard]] std::exception_ptr first_failure() const {
    return failures_.empty() ? nullptr : failures_.begin()->second;
  }

  [[nodiscard]] std::exception_ptr failure_of(std::size_t index) const {
    const auto found = failures_.find(index);
    return found == failures_.end() ? nullptr : found->second;
  }

  /// Called in order once everything is known, by a thread of the pool or of
  /// whoever waits for it.
  std::vector<std::function<void()>> on_done;
  /// Called with how many tasks have run and how many are known, by whoever
  /// leads the pool, when one has run.
  std::function<void(std::size_t, std::size_t)> on_progress;
  /// Where `number` is entered once everything is known.
  std::deque<std::uint64_t>* done_list = nullptr;
  std::uint64_t number = 0;
  /// A future has given the value.
  bool taken = false;

private:
  friend class dispatcher;

  std::size_t expected_ = 0;
  std::size_t finished_ = 0;
  /// Of the finished ones those that have run.
  std::size_t ran_ = 0;
  /// No more tasks will come.
  bool complete_ = false;
  bool cancelled_ = false;
  std::map<std::size_t, std::exception_ptr> failures_;
};

/// A job whose tasks give an `R`.
template <class R>
class job_of final : public job {
public:
  void accept(std::size_t& next, std::size_t last,
              const std::map<std::size_t, std::exception_ptr>& failed,
              codec::decoder& from) override {
    if (values_.size() < last)
      values_.resize(last);
    if constexpr (in_place && codec::flat<R>) {
      if (failed.empty()) {
        const auto size = (last - next) * sizeof(R);
        std::memcpy(static_cast<void*>(values_.data() + next),
                    from.take(size, "results"), size);
        next = last;
        return;
      }
    }
    for (; next < last; ++next) {
      if (failed.contains(next))
        continue;
      if constexpr (in_place)
        values_[next] = from.load<R>();
      else
        values_[next].emplace(from.load<R>());
    }
  }

  [[nodiscard]] R take(std::size_t index) {
    if constexpr (in_place)
      return std::move(values_[index]);
    else
      return std::move(*values_[index]);
  }

  [[nodiscard]] std::vector<R> take_all() {
    if constexpr (in_place) {
      return std::move(values_);
    } else {
      std::vector<R> result;
      result.reserve(values_.size());
      for (auto& each : values_)
        result.push_back(std::move(*each));
      return result;
    }
  }

private:
  static constexpr bool in_place = std::is_default_constructible_v<R>
                                   && std::is_move_assignable_v<R>
                                   && !std::is_same_v<R, bool>;

  std::vector<std::conditional_t<in_place, R, std::optional<R>>> values_;
};

template <>
class job_of<void> final : public job {
public:
  void accept(std::size_t& next, std::size_t last,
              const std::map<std::size_t, std::exception_ptr>&,
              codec::decoder&) override {
    next = last;
  }

  void take(std::size_t) {
  }

  void take_all() {
  }
};

} // namespace troupe::pooling
