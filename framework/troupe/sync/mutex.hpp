// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/lock_handle.hpp>

#include <source_location>

namespace troupe {

/// Mutual exclusion between threads of all processes of a run: Python's `Lock`.
///
/// A `mutex` is a handle: copies of it, in whatever process, mean the same
/// lock, and it can be sent anywhere at any time. It is *TimedLockable*, so
/// `std::scoped_lock` and `std::unique_lock` work. It belongs to the thread
/// that locked it; what Python's `Lock` also is, a baton that another may give
/// back, is a `semaphore{1}` here.
///
/// # Cost
/// `lock` and `unlock` of a free mutex are one compare-exchange each. Who finds
/// it taken spins for some microseconds and then sleeps in a queue.
///
/// # Order
/// First come, first served among those in the queue. A thread that runs may
/// overtake them, so that the lock does not lie idle while one wakes, but not
/// for ever: after 1024 overtakes the first of the queue gets it next.
///
/// # What a crash leaves
/// A free lock. Its next owner is told, once, by `acquire` or `owner_died`. The
/// dead do not stand in the queue. The same happens when a process destroys its
/// last handle while a thread of it holds the lock, and standard error says so.
class mutex : public sync::lock_handle {
public:
  /// A new lock, free. Throws `limit_reached`, `invalid_state`.
  /// Who looks at the run is shown where it was made.
  mutex(std::source_location made_at = std::source_location::current())
    : lock_handle(false) {
    memory::note_origin(object_, made_at);
  }

  /// Throws `would_deadlock` if the calling thread holds it.
  /// @blocks on the owner
  void lock() const {
    if (!word_->try_take(sync::owner::this_thread())) [[unlikely]]
      static_cast<void>(take_before(deadline::never()));
  }

  /// Returns false if anybody holds it, the calling thread too.
  [[nodiscard]] bool try_lock() const {
    return word_->try_take(sync::owner::this_thread());
  }

  /// Throws `would_deadlock`. @blocks on the owner, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] bool
  try_lock_for(const std::chrono::duration<Rep, Period>& limit) const {
    return try_lock() || take_before(deadline::after(limit));
  }

  /// Throws `would_deadlock`. @blocks on the owner, until `limit`
  template <class Clock, class Duration>
  [[nodiscard]] bool
  try_lock_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return try_lock() || take_before(deadline::at(limit));
  }

  /// Throws `not_owner`, and says who the owner is.
  void unlock() const {
    if (!word_->give_back(sync::owner::this_thread())) [[unlikely]]
      refuse_unlock();
  }

  [[nodiscard]] static mutex load(codec::decoder& from) {
    return mutex{from};
  }

private:
  explicit mutex(codec::decoder& from) : lock_handle(from, false) {
  }
};

} // namespace troupe
