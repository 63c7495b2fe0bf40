// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/attempt.hpp>
#include <troupe/state/call_condition.hpp>
#include <troupe/state/state.hpp>

#include <chrono>
#include <memory>

namespace troupe::held {

/// A flag in a state: what a `held::event` is a handle of.
class event_object {
public:
  void set() noexcept {
    set_ = true;
  }

  void clear() noexcept {
    set_ = false;
  }

  [[nodiscard]] bool is_set() const noexcept {
    return set_;
  }

  attempt<void> wait() {
    if (!set_)
      return not_yet;
    return {};
  }

private:
  bool set_ = false;
};

/// A flag that a state keeps: Python's `manager.Event()`. Within one run,
/// `troupe::event` costs no message.
///
/// Whoever waits when the flag is set goes on, also if it is cleared at once.
class event : public proxy<event_object> {
  using object = event_object;

public:
  explicit event(proxy held) noexcept : proxy(std::move(held)) {
  }

  [[nodiscard]] bool is_set() const {
    return call<&object::is_set>();
  }

  void set() const {
    call<&object::set>();
  }

  void clear() const {
    call<&object::clear>();
  }

  /// @blocks on who sets the flag
  void wait() const {
    call<&object::wait>();
  }

  template <class Rep, class Period>
  [[nodiscard]] bool
  wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return call_before<&object::wait>(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  wait_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return call_before<&object::wait>(deadline::at(limit));
  }

  /// For `wait_any`: ready when the flag is set, or the state is gone.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return when_returned(
      [of = *this] { return of.call_async<&object::wait>(); },
      [of = *this] { return of.call_before<&object::wait>(deadline::now()); });
  }

  [[nodiscard]] static event load(codec::decoder& from) {
    return event{proxy::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::is_set, &object::set, &object::clear,
                 &object::wait>();
  }
};

} // namespace troupe::held
