// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/sync/actor_place.hpp>
#include <troupe/sync/line.hpp>

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
///     128   the line
///     …     accounts  units that each process has, 4 bytes per row
///
/// Everything changes inside the latch, value and account by way of the entry:
/// whoever finds one that a dead process left does it again.
class semaphore_units {
public:
  /// As with a mutex, but counted in units.
  static constexpr std::uint64_t most_overtakes = 64;

  static constexpr std::uint32_t places = 96;

  enum class release_result : std::uint8_t { done, above_bound };

  [[nodiscard]] static std::uint64_t size();

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(semaphore_units),
                              offsetof(semaphore_units, value_),
                              offsetof(semaphore_units, bound_)});
  }

  void initialise(std::int64_t initial, std::int64_t bound) noexcept;

  /// Takes a unit for the process in `row` if one is free.
  [[nodiscard]] bool try_take(std::uint32_t row) noexcept;

  /// Waits for a unit. False: `limit` has passed.
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
  [[nodiscard]] place* wait_in_line(owner me, std::uint32_t host,
                                    bool& taken) noexcept;
  [[nodiscard]] bool take_in_line(owner me, place& at, std::uint64_t ticket,
                                  std::uint32_t own_row) noexcept;
  void leave_line(owner me, place& at, std::uint64_t ticket,
                  std::uint32_t own_row) noexcept;

  /// Gives back what `row` took a moment ago, and had died before.
  void take_back(std::uint32_t row, std::uint32_t own_row) noexcept;

  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_acquire);
  }

  [[nodiscard]] std::int64_t bound() const noexcept {
    return bound_;
  }

  [[nodiscard]] line waiters() noexcept {
    return line{reinterpret_cast<std::byte*>(this) + sizeof(semaphore_units),
                places};
  }

  [[nodiscard]] actor_place& actor() noexcept {
    return actor_;
  }

  void repair(std::uint32_t row) noexcept;

private:
  [[nodiscard]] std::atomic<std::uint32_t>& account(std::uint32_t row) noexcept;
  [[nodiscard]] bool may_overtake() noexcept;
  void take_one(std::uint32_t row) noexcept;
  void write(std::uint32_t row, std::uint32_t count,
             std::int64_t value) noexcept;
  void finish_entry() noexcept;
  void lose(std::uint32_t row, std::int64_t count) noexcept;
  void rouse(std::int64_t count) noexcept;

  std::atomic<std::int64_t> value_;
  std::int64_t initial_;
  std::int64_t bound_;
  std::atomic<std::uint64_t> taken_;
  std::atomic<std::uint32_t> entry_row_;
  std::atomic<std::uint32_t> entry_count_;
  std::atomic<std::int64_t> entry_value_;
  actor_place actor_;
  std::byte unused_[cache_line - 64];
};

static_assert(sizeof(semaphore_units) == cache_line);

} // namespace troupe::sync
