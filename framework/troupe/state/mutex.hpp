// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/lock_object.hpp>
#include <troupe/state/state.hpp>

#include <chrono>

namespace troupe::held {

/// A lock that a state keeps: Python's `manager.Lock()` and `manager.RLock()`,
/// for clients of several programs. *TimedLockable*. Within one run,
/// `troupe::mutex` costs no message.
///
///     auto lock = state.make<held::mutex>();
///     const std::scoped_lock guard{lock};
///
/// It belongs to the thread that locked it. Those who wait get it in their
/// order.
///
/// # What a crash leaves
/// A free lock: the next owner gets it. So it is where the owner's process
/// dies, or its connection is lost.
template <bool Recursive>
class basic_mutex : public proxy<lock_object<Recursive>> {
  using object = lock_object<Recursive>;
  using base = proxy<object>;

public:
  explicit basic_mutex(base held) noexcept : base(std::move(held)) {
  }

  /// Throws `would_deadlock` if the calling thread holds it, and it is not
  /// recursive. @blocks on the owner
  void lock() const {
    this->template call<&object::acquire>(this_thread_number());
  }

  [[nodiscard]] bool try_lock() const {
    return lock_before(deadline::now());
  }

  /// @blocks on the owner, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] bool
  try_lock_for(const std::chrono::duration<Rep, Period>& limit) const {
    return lock_before(deadline::after(limit));
  }

  /// @blocks on the owner, until `limit`
  template <class Clock, class Duration>
  [[nodiscard]] bool
  try_lock_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return lock_before(deadline::at(limit));
  }

  /// Throws `not_owner`.
  void unlock() const {
    this->template call<&object::release>(this_thread_number());
  }

  /// Whether anybody holds it now.
  [[nodiscard]] bool is_locked() const {
    return this->template call<&object::is_locked>();
  }

  [[nodiscard]] static basic_mutex load(codec::decoder& from) {
    return basic_mutex{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::acquire, &object::release,
                 &object::is_locked>();
  }

private:
  [[nodiscard]] bool lock_before(deadline limit) const {
    return this->template call_before<&object::acquire>(limit,
                                                        this_thread_number());
  }
};

using mutex = basic_mutex<false>;
using recursive_mutex = basic_mutex<true>;

} // namespace troupe::held
