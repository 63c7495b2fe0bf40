// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/sync/actor_location.hpp>
#include <troupe/sync/wait_queue.hpp>

#include <cstdint>

namespace troupe::sync {

/// What a condition is in shared memory: a queue, and in the mark of each place
/// whether who waits there has been notified.
///
///     0     actor   where its actor is
///     16    guard    the robust lock of the queue
///     24    queue    an object of its own, made for the first who waits
///
/// A notification belongs to a place until its owner gives the place up, which
/// is how it takes the notification. If that one dies before, the notification
/// goes to the next.
class condition_state {
public:
  static constexpr std::uint32_t most_waiters = 1024;

  [[nodiscard]] static constexpr std::uint64_t size() noexcept {
    return sizeof(condition_state);
  }

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(condition_state), most_waiters});
  }

  /// Takes a place; nullptr if none is free, or there is no memory for the
  /// queue.
  [[nodiscard]] waiter* enqueue(owner me, std::uint32_t host) noexcept;

  /// Sleeps until notified and gives the place up. False: `limit` passed first.
  [[nodiscard]] bool sleep(waiter& at, std::uint32_t row,
                           deadline limit) noexcept;

  /// Returns whether `at` is notified, without waiting; if so gives it up.
  [[nodiscard]] bool take(waiter& at, std::uint32_t row) noexcept;

  /// Gives the place up. True: it had been notified.
  bool leave(waiter& at, std::uint32_t row) noexcept;

  /// The same two for who waits on behalf of `who`, if the place still is that
  /// one's.
  [[nodiscard]] bool take(owner who, waiter& at, std::uint64_t ticket,
                          std::uint32_t row) noexcept;
  bool withdraw(owner who, waiter& at, std::uint64_t ticket,
                std::uint32_t row) noexcept;

  /// Notifies up to `count`, in order. Returns how many.
  std::uint32_t notify(std::uint32_t count, std::uint32_t row) noexcept;

  [[nodiscard]] wait_queue waiters() noexcept {
    return wait_queue{guard_, queue_.find(), most_waiters};
  }

  [[nodiscard]] bool has_wait_queue() const noexcept {
    return queue_.find() != nullptr;
  }

  /// Gives up the queue; for the condition's last holder.
  void dispose() noexcept {
    queue_.give_up();
  }

  [[nodiscard]] actor_location& actor() noexcept {
    return actor_;
  }

  void repair(std::uint32_t row) noexcept;

private:
  bool notify_next() noexcept;

  actor_location actor_;
  robust_lock guard_;
  memory::late_object queue_;
};

static_assert(sizeof(condition_state) <= memory::object_head::size_inside);

} // namespace troupe::sync
