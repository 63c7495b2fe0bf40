// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <chrono>
#include <future>

namespace troupe::calls {

/// How a future is waited for, in the shape of `std::future`, whatever it is a
/// future of. `Future` has `wait_before(deadline) const`, which returns whether
/// there is a result or a failure by then; where there is nothing to wait for
/// it throws `invalid_state`.
template <class Future>
class future_base {
public:
  /// Waits until there is a result or a failure.
  /// @blocks on who computes the result
  void wait() const {
    static_cast<void>(self().wait_before(deadline::never()));
  }

  /// The same with a limit.
  /// @blocks on who computes the result, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] std::future_status
  wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return status(deadline::after(limit));
  }

  /// @blocks on who computes the result, until `limit`
  template <class Clock, class Duration>
  [[nodiscard]] std::future_status
  wait_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return status(deadline::at(limit));
  }

  /// Returns whether there is a result or a failure now.
  [[nodiscard]] bool is_ready() const {
    return self().wait_before(deadline::now());
  }

protected:
  future_base() noexcept = default;
  ~future_base() = default;
  future_base(const future_base&) noexcept = default;
  future_base& operator=(const future_base&) noexcept = default;

private:
  [[nodiscard]] const Future& self() const noexcept {
    return static_cast<const Future&>(*this);
  }

  [[nodiscard]] std::future_status status(deadline limit) const {
    return self().wait_before(limit) ? std::future_status::ready
                                     : std::future_status::timeout;
  }
};

} // namespace troupe::calls
