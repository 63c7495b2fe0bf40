// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/calls/future_base.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/caller.hpp>

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
class future : public calls::future_base<future<R>> {
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
    static_cast<void>(require("get the result of a call"));
    const auto from = std::move(of_);
    result_reader<R> reader{*via_, *what_};
    from->take(reader);
    return reader.take();
  }

  /// For `wait_any`: ready when there is a result or a failure. Null without
  /// one to come. It looks at this future, which must outlive it.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return of_ ? when_answered(*of_) : nullptr;
  }

private:
  friend calls::future_base<future>;

  [[nodiscard]] pending& require(const char* attempted) const {
    if (!of_)
      throw invalid_state(attempted,
                          "this future has none, or gave it already");
    return *of_;
  }

  [[nodiscard]] bool wait_before(deadline limit) const {
    return require("wait for the result of a call").wait(limit);
  }

  std::shared_ptr<caller> via_;
  std::unique_ptr<pending> of_;
  const operation* what_ = nullptr;
};

} // namespace troupe::held
