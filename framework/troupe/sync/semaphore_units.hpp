// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/sync/actor_location.hpp>
#include <troupe/sync/wait_queue.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::sync {

/// What a semaphore is in shared memory.
///
///     0     value     units that are free
///     8     initial   where it began: a death never brings it higher
///     16    bound     where `release` refuses
///     24    taken     counts the units ever taken
///     32    entry     a change of value and account that is not finished:
///           32 row + 1, or 0 · 36 the account's new count · 40 the new value
///     48    actor   where its actor is
///     64    guard    the robust lock of the queue
///     72    queue    an object of its own, made for the first who waits, or where
///                   more than five processes have units: the queue, and behind
///                   it an account of 4 bytes for each row
///     88    inside  accounts of up to five processes: bit 0 row + 1 · 31 the
///                   process died, and its units are to come back · 32 units
///
/// Everything changes under the robust lock, value and account by way of the
/// entry: whoever finds one that a dead process left does it again. A process
/// has one account, inside or in the object of the queue; one of no units is
/// none, and may be anybody's next.
class semaphore_units {
public:
  /// As with a mutex, but counted in units.
  static constexpr std::uint64_t most_overtakes = 64;

  static constexpr std::uint32_t most_waiters = 96;

  enum class release_result : std::uint8_t { done, above_bound };

  /// Processes that may have units at a time before more memory is needed.
  static constexpr std::uint32_t accounts_inside = 5;

  [[nodiscard]] static constexpr std::uint64_t size() noexcept {
    return sizeof(semaphore_units);
  }

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(semaphore_units),
                              offsetof(semaphore_units, value_),
                              offsetof(semaphore_units, bound_)});
  }

  void initialise(std::int64_t initial, std::int64_t bound) noexcept;

  /// Takes a unit for the process in `row` if one is free. False also where
  /// there is no memory to note that it has one.
  [[nodiscard]] bool try_take(std::uint32_t row) noexcept;

  /// Waits for a unit. False: `limit` has passed. Where there is no memory for
  /// the queue it looks every millisecond, and nobody is before another.
  [[nodiscard]] bool take(owner me, deadline limit) noexcept;

  /// Gives `count` units to whoever comes, first of all those of `row`'s own.
  [[nodiscard]] release_result give(std::uint32_t row, std::int64_t count,
                                    std::uint32_t own_row) noexcept;

  /// The same for an actor of `row` that ended with `count` units: as after a
  /// death.
  void give_back_lost(std::uint32_t row, std::int64_t count,
                      std::uint32_t own_row) noexcept;

  /// As with a mutex, for an actor. Nullptr: a unit is taken already, or there
  /// is no room; `taken` tells which.
  [[nodiscard]] waiter* enqueue(owner me, std::uint32_t host,
                                bool& taken) noexcept;
  [[nodiscard]] bool take_as_waiter(owner me, waiter& at, std::uint64_t ticket,
                                    std::uint32_t own_row) noexcept;
  void leave_queue(owner me, waiter& at, std::uint64_t ticket,
                   std::uint32_t own_row) noexcept;

  /// Gives back what `row` took a moment ago, and had died before.
  void take_back(std::uint32_t row, std::uint32_t own_row) noexcept;

  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_acquire);
  }

  [[nodiscard]] std::int64_t bound() const noexcept {
    return bound_;
  }

  [[nodiscard]] wait_queue waiters() noexcept {
    return wait_queue{guard_, queue_.find(), most_waiters};
  }

  /// Gives up the queue; for the semaphore's last holder.
  void dispose() noexcept {
    queue_.give_up();
  }

  [[nodiscard]] actor_location& actor() noexcept {
    return actor_;
  }

  void repair(std::uint32_t row) noexcept;

  /// Notes that the process in `row` has died with what it has here, for who is
  /// under the robust lock.
  void mark_dead(std::uint32_t row) noexcept;

  /// Calls `repair(row)` for each process with an account inside that is
  /// marked.
  template <class Repair>
  void reclaim_dead(Repair repair) noexcept {
    for (const auto& account : inside_) {
      // acquire: pairs with the release in mark_dead.
      const auto seen = account.load(std::memory_order_acquire);
      // Which empties the account.
      if ((seen & dead) != 0)
        repair(row_of(seen));
    }
  }

private:
  static constexpr std::uint64_t dead = 1ULL << 31;

  static constexpr std::uint32_t row_of(std::uint64_t account) noexcept {
    return static_cast<std::uint32_t>(account & ~dead) - 1;
  }

  static constexpr std::uint32_t units_in(std::uint64_t account) noexcept {
    return static_cast<std::uint32_t>(account >> 32);
  }

  /// The account of that row inside; nullptr if there is none.
  [[nodiscard]] std::atomic<std::uint64_t>*
  find_inside(std::uint32_t row) noexcept;
  [[nodiscard]] std::atomic<std::uint64_t>* find_empty() noexcept;
  /// The account in the object of the queue; nullptr as long as that is not
  /// made.
  [[nodiscard]] std::atomic<std::uint32_t>*
  find_outside(std::uint32_t row) noexcept;

  [[nodiscard]] std::uint32_t units_of(std::uint32_t row) noexcept;
  void set_units(std::uint32_t row, std::uint32_t units) noexcept;
  [[nodiscard]] bool has_room_for(std::uint32_t row) noexcept;
  [[nodiscard]] bool ensure_wait_queue() noexcept;
  [[nodiscard]] bool may_overtake() noexcept;
  void take_one(std::uint32_t row) noexcept;
  void write(std::uint32_t row, std::uint32_t count,
             std::int64_t value) noexcept;
  void finish_entry() noexcept;
  void lose(std::uint32_t row, std::int64_t count) noexcept;
  void wake(std::int64_t count) noexcept;

  // relaxed, under the robust lock: `value_`, `taken_`, and `inside_` but for
  // the mark of death, which is release in `mark_dead` and acquire in
  // `reclaim_dead`.
  // `value_` without the lock: release in `initialise`, acquire in `value`;
  // relaxed and seq_cst where it is a first look, which the lock repeats.
  // `entry_row_`: release in `write`, behind `entry_count_` and `entry_value_`,
  // which are relaxed; acquire in `finish_entry`, perhaps after the death of
  // who wrote it.
  std::atomic<std::int64_t> value_;
  std::int64_t initial_;
  std::int64_t bound_;
  std::atomic<std::uint64_t> taken_;
  std::atomic<std::uint32_t> entry_row_;
  std::atomic<std::uint32_t> entry_count_;
  std::atomic<std::int64_t> entry_value_;
  actor_location actor_;
  robust_lock guard_;
  memory::late_object queue_;
  std::array<std::atomic<std::uint64_t>, accounts_inside> inside_;
};

static_assert(sizeof(semaphore_units) == 128);
static_assert(sizeof(semaphore_units) <= memory::object_head::size_inside);

} // namespace troupe::sync
