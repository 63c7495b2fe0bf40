// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/state/attempt.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>
#include <troupe/state/state.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>

namespace troupe::held {

/// A count of units in a state: what a `held::semaphore` is a handle of.
class semaphore_object {
public:
  explicit semaphore_object(std::int64_t units,
                            std::int64_t most
                            = std::numeric_limits<std::int64_t>::max())
    : value_(units), initial_(units), most_(most) {
    if (units < 0 || most < units)
      throw invalid_argument("make a semaphore of " + std::to_string(units)
                               + " units, at most " + std::to_string(most),
                             "that cannot be");
  }

  attempt<void> acquire(const call_context& by) {
    if (value_ == 0)
      return not_yet;
    --value_;
    ++taken_[by.client];
    return {};
  }

  void release(const call_context& by, std::int64_t units) {
    if (units < 0 || units > most_ - value_)
      throw invalid_argument("release " + std::to_string(units)
                               + " units of a semaphore",
                             "it has " + std::to_string(value_)
                               + " and may have " + std::to_string(most_));
    value_ += units;
    if (const auto found = taken_.find(by.client);
        found != taken_.end() && (found->second -= units) <= 0)
      taken_.erase(found);
  }

  [[nodiscard]] std::int64_t value() const noexcept {
    return value_;
  }

  /// What the client had comes back, but never more than there was at first.
  void client_gone(client_id client) noexcept {
    const auto found = taken_.find(client);
    if (found == taken_.end())
      return;
    value_ = std::max(value_, std::min(value_ + found->second, initial_));
    taken_.erase(found);
  }

private:
  std::int64_t value_;
  std::int64_t initial_;
  std::int64_t most_;
  std::unordered_map<client_id, std::int64_t> taken_;
};

/// A semaphore that a state keeps: Python's `manager.Semaphore()`, and with a
/// second number `BoundedSemaphore`. Within one run, `troupe::semaphore` costs
/// no message.
///
///     auto units = state.make<held::semaphore>(2);
///     auto bounded = state.make<held::semaphore>(2, 2);
///
/// # What a crash leaves
/// The units that the dead client had come back.
class semaphore : public proxy<semaphore_object> {
  using object = semaphore_object;

public:
  explicit semaphore(proxy held) noexcept : proxy(std::move(held)) {
  }

  /// @blocks while there is none
  void acquire() const {
    call<&object::acquire>();
  }

  [[nodiscard]] bool try_acquire() const {
    return call_before<&object::acquire>(deadline::now());
  }

  template <class Rep, class Period>
  [[nodiscard]] bool
  try_acquire_for(const std::chrono::duration<Rep, Period>& limit) const {
    return call_before<&object::acquire>(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return call_before<&object::acquire>(deadline::at(limit));
  }

  /// Throws `invalid_argument` where there would be more than there may be.
  void release(std::int64_t units = 1) const {
    call<&object::release>(units);
  }

  [[nodiscard]] std::int64_t value() const {
    return call<&object::value>();
  }

  [[nodiscard]] static semaphore load(codec::decoder& from) {
    return semaphore{proxy::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::acquire, &object::release, &object::value>();
  }
};

} // namespace troupe::held
