// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/channel/connection.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/process.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

/// Something to wait for, of any kind: what `wait_any` is given.
///
/// It looks at what it was made from, which must outlive it.
class wait_source {
public:
  /// Ready when there is an item, or the end: the queue is closed.
  template <class T>
  wait_source(const queue<T>& from) : box_(&from.box()) {
  }

  /// Ready when there is a message, or the end: the other side is gone.
  template <class T>
  wait_source(const connection<T>& from) : box_(&from.box()) {
  }

  /// Ready when the process has ended, or could not be made. Throws
  /// `invalid_state` for a handle without a process.
  wait_source(const process& from) : process_(from.view()) {
  }

  /// The same; ready too when the process was joined and is forgotten.
  wait_source(const process_view& from) : process_(from) {
  }

  /// Ready when the process that computes the result has ended, however. Never
  /// ready when the future has given its result or was moved from.
  template <class R>
  wait_source(const future<R>& from) : never_(!from.valid()) {
    if (!never_)
      process_ = from.runner().view();
  }

  /// Ready when what it says is: an `event` that is set, a `task_future` whose
  /// tasks are done, a `held::event`, `held::queue` or `held::future`, each
  /// also when its use would fail at once.
  template <waitable T>
  wait_source(const T& from)
    : condition_(from.when_ready()), never_(condition_ == nullptr) {
  }

  /// Ready when the descriptor is readable, or its other end is closed. Throws
  /// `invalid_argument` for a negative one.
  wait_source(int fd) : fd_(fd) {
    if (fd < 0)
      throw invalid_argument("wait for descriptor " + std::to_string(fd),
                             "a descriptor is not negative",
                             "look at what the call that opened it returned");
  }

  /// Ready when it has passed.
  wait_source(deadline when) noexcept : when_(when) {
  }

  template <class Clock, class Duration>
  wait_source(const std::chrono::time_point<Clock, Duration>& when)
    : when_(deadline::at(when)) {
  }

  /// Ready that much later than now.
  template <class Rep, class Period>
  wait_source(const std::chrono::duration<Rep, Period>& later)
    : when_(deadline::after(later)) {
  }

  [[nodiscard]] mailbox::message_queue* box() const noexcept {
    return box_;
  }

  [[nodiscard]] const std::optional<process_view>& runner() const noexcept {
    return process_;
  }

  [[nodiscard]] wait_condition* condition() const noexcept {
    return condition_.get();
  }

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

  [[nodiscard]] deadline when() const noexcept {
    return when_;
  }

  /// Whether there is nothing to come.
  [[nodiscard]] bool never() const noexcept {
    return never_;
  }

private:
  mailbox::message_queue* box_ = nullptr;
  std::optional<process_view> process_;
  std::shared_ptr<wait_condition> condition_;
  int fd_ = -1;
  bool never_ = false;
  deadline when_ = deadline::never();
};

/// What can be waited for beside others.
template <class T>
concept wait_sourced = std::constructible_from<wait_source, T>;

/// Several things of one kind, as in a `std::vector`. A queue is a range too,
/// but one thing to wait for.
template <class T>
concept wait_sources = !wait_sourced<T> && std::ranges::forward_range<T>
                       && wait_sourced<std::ranges::range_reference_t<T>>;

/// The same, where they are not made `wait_source`s yet.
template <class T>
concept wait_sources_of_a_kind
  = wait_sources<T>
    && !std::same_as<std::ranges::range_value_t<T>, wait_source>;

/// Until when a wait for several may last: a duration from now, a time point,
/// or a deadline.
template <class T>
concept wait_limit = std::same_as<T, deadline> || requires(const T& limit) {
  deadline::after(limit);
} || requires(const T& limit) { deadline::at(limit); };

namespace channel {

template <wait_limit T>
[[nodiscard]] deadline to_deadline(const T& limit) {
  if constexpr (std::same_as<T, deadline>)
    return limit;
  else if constexpr (requires { deadline::after(limit); })
    return deadline::after(limit);
  else
    return deadline::at(limit);
}

} // namespace channel

} // namespace troupe
