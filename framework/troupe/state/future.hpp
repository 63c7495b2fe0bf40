// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/caller.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

namespace troupe::held {

/// See call_condition.hpp.
[[nodiscard]] std::shared_ptr<wait_condition> when_answered(pending& of);

/// The result of a call that was not waited for; the shape of `std::future`.
///
/// One that is destroyed before its result came withdraws the call if that
/// still waits for its object; otherwise it was done, or will be.
template <class R>
class future {
public:
  future() noexcept = default;

  future(std::shared_ptr<caller> via, std::unique_ptr<pending> of,
         const operation& what) noexcept
    : via_(std::move(via)), of_(std::move(of)), what_(&what) {
  }

  [[nodiscard]] bool valid() const noexcept {
    return of_ != nullptr;
  }

  /// Waits for the result and gives it, once. Throws what the call would have
  /// thrown, `invalid_state` when there is nothing to get.
  /// @blocks on the state
  R get() {
    require("get the result of a call");
    const auto from = std::move(of_);
    result_reader<R> reader{*via_, *what_};
    from->take(reader);
    return reader.take();
  }

  /// Throws `invalid_state` when there is nothing to wait for.
  /// @blocks on the state
  void wait() const {
    require("wait for the result of a call");
    static_cast<void>(of_->wait(deadline::never()));
  }

  /// The same with a limit.
  /// @blocks on the state, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] std::future_status
  wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return status(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::future_status
  wait_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return status(deadline::at(limit));
  }

  /// For `wait_any`: ready when there is a result or a failure. Null without
  /// one to come. It looks at this future, which must outlive it.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return of_ ? when_answered(*of_) : nullptr;
  }

private:
  void require(const char* attempted) const {
    if (!of_)
      throw invalid_state(attempted,
                          "this future has none, or gave it already");
  }

  [[nodiscard]] std::future_status status(deadline limit) const {
    require("wait for the result of a call");
    return of_->wait(limit) ? std::future_status::ready
                            : std::future_status::timeout;
  }

  std::shared_ptr<caller> via_;
  std::unique_ptr<pending> of_;
  const operation* what_ = nullptr;
};

} // namespace troupe::held
