// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/sync/condition_state.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <source_location>
#include <utility>

namespace troupe {

/// Lets threads of all processes of a run wait until another says that
/// something has changed: Python's `Condition`, with the names of
/// `std::condition_variable_any`.
///
/// A handle: copies of it, in whatever process, mean the same condition. It has
/// no lock of its own; `wait` takes any lock, commonly a
/// `std::unique_lock<troupe::mutex>` on a mutex that was sent along. A
/// `recursive_mutex` must be locked once only.
///
/// Look at what is waited for again after `wait`, or give a predicate: a
/// wake-up without notification is possible, after a crash.
///
/// # Order
/// First come, first notified.
///
/// # What a crash leaves
/// A notification given to a waiter that dies before it wakes goes to the next
/// in the queue. A notifier never waits for anybody.
class condition {
public:
  /// Threads that may wait at the same time.
  static constexpr std::uint32_t most_waiters
    = sync::condition_state::most_waiters;

  /// Throws `limit_reached`, `invalid_state`.
  condition(std::source_location made_at = std::source_location::current());

  /// Unlocks `lock`, sleeps until notified, and locks it again.
  /// Throws `limit_reached` (`most_waiters` wait already, or there is no memory
  /// for those who wait), and what unlocking throws: `not_owner` if the caller
  /// does not hold the lock.
  /// @blocks on who notifies
  template <class Lock>
  void wait(Lock& lock) const {
    static_cast<void>(wait_before(lock, deadline::never()));
  }

  /// Waits until `ready()`, which is called with the lock held.
  /// @blocks on who makes it true and notifies
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate ready) const {
    while (!ready())
      wait(lock);
  }

  /// @blocks on who notifies, until `limit`
  template <class Lock, class Rep, class Period>
  std::cv_status
  wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& limit) const {
    return status(wait_before(lock, deadline::after(limit)));
  }

  /// Returns what `ready()` is in the end.
  /// @blocks on who makes it true and notifies, until `limit`
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& limit,
                Predicate ready) const {
    return wait_before(lock, deadline::after(limit), std::move(ready));
  }

  template <class Lock, class Clock, class Duration>
  std::cv_status
  wait_until(Lock& lock,
             const std::chrono::time_point<Clock, Duration>& limit) const {
    return status(wait_before(lock, deadline::at(limit)));
  }

  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock,
                  const std::chrono::time_point<Clock, Duration>& limit,
                  Predicate ready) const {
    return wait_before(lock, deadline::at(limit), std::move(ready));
  }

  /// Notifies the first in the queue. The lock need not be held.
  void notify_one() const {
    notify(1);
  }

  void notify_all() const {
    notify(std::numeric_limits<std::uint32_t>::max());
  }

  /// Notifies the first `count`: Python's `notify(n)`. Returns how many waited.
  std::uint32_t notify(std::uint32_t count) const;

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static condition load(codec::decoder& from) {
    return condition{from};
  }

  [[nodiscard]] sync::condition_state& state() const noexcept {
    return *state_;
  }

  [[nodiscard]] memory::object_id id() const noexcept {
    return object_.id();
  }

  friend bool operator==(const condition& a, const condition& b) noexcept {
    return a.object_ == b.object_;
  }

private:
  explicit condition(codec::decoder& from);

  static std::cv_status status(bool notified) noexcept {
    return notified ? std::cv_status::no_timeout : std::cv_status::timeout;
  }

  [[nodiscard]] sync::waiter& enqueue() const;
  [[nodiscard]] bool sleep(sync::waiter& at, deadline limit) const noexcept;
  void withdraw(sync::waiter& at) const noexcept;

  template <class Lock>
  [[nodiscard]] bool wait_before(Lock& lock, deadline limit) const {
    auto& at = enqueue();
    try {
      lock.unlock();
    } catch (...) {
      withdraw(at);
      throw;
    }
    const bool notified = sleep(at, limit);
    lock.lock();
    return notified;
  }

  template <class Lock, class Predicate>
  [[nodiscard]] bool
  wait_before(Lock& lock, deadline limit, Predicate ready) const {
    while (!ready())
      if (!wait_before(lock, limit))
        return ready();
    return true;
  }

  memory::reference object_;
  sync::condition_state* state_;
};

} // namespace troupe
