// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/semaphore_units.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>

#include <algorithm>

namespace troupe::sync {

std::uint64_t semaphore_units::size() {
  const auto rows = std::uint64_t{memory::run_memory::current().header().slots}
                    + 1;
  return sizeof(semaphore_units) + line::size(places)
         + rows * sizeof(std::uint32_t);
}

void semaphore_units::initialise(std::int64_t initial,
                                 std::int64_t bound) noexcept {
  initial_ = initial;
  bound_ = bound;
  value_.store(initial, std::memory_order_release);
}

std::atomic<std::uint32_t>&
semaphore_units::account(std::uint32_t row) noexcept {
  auto* const start = reinterpret_cast<std::byte*>(this)
                      + sizeof(semaphore_units) + line::size(places);
  return reinterpret_cast<std::atomic<std::uint32_t>*>(start)[row];
}

void semaphore_units::write(std::uint32_t row, std::uint32_t count,
                            std::int64_t value) noexcept {
  entry_count_.store(count, std::memory_order_relaxed);
  entry_value_.store(value, std::memory_order_relaxed);
  // release: whoever finds the entry finds it whole.
  entry_row_.store(row + 1, std::memory_order_release);
  TROUPE_CRASH_POINT("sync.semaphore.entered");
  finish_entry();
}

void semaphore_units::finish_entry() noexcept {
  const auto row = entry_row_.load(std::memory_order_acquire);
  if (row == 0)
    return;
  account(row - 1).store(entry_count_.load(std::memory_order_relaxed),
                         std::memory_order_relaxed);
  TROUPE_CRASH_POINT("sync.semaphore.half");
  value_.store(entry_value_.load(std::memory_order_relaxed),
               std::memory_order_relaxed);
  entry_row_.store(0, std::memory_order_release);
}

void semaphore_units::take_one(std::uint32_t row) noexcept {
  write(row, account(row).load(std::memory_order_relaxed) + 1,
        value_.load(std::memory_order_relaxed) - 1);
  taken_.store(taken_.load(std::memory_order_relaxed) + 1,
               std::memory_order_relaxed);
}

/// Whether one who does not stand in the line may take a unit.
bool semaphore_units::may_overtake() noexcept {
  auto* const first = waiters().first();
  return first == nullptr
         || taken_.load(std::memory_order_relaxed)
                - first->mark.load(std::memory_order_relaxed)
              <= most_overtakes;
}

bool semaphore_units::try_take(std::uint32_t row) noexcept {
  session inside{*this, row};
  if (value_.load(std::memory_order_relaxed) <= 0 || !may_overtake())
    return false;
  take_one(row);
  return true;
}

bool semaphore_units::take(owner me, deadline limit) noexcept {
  const auto row = me.row();
  bool at_once = false;
  static_cast<void>(os::spin(tuning::unit, [&] {
    at_once = value_.load(std::memory_order_relaxed) > 0 && try_take(row);
    return at_once || limit.passed();
  }));
  if (at_once)
    return true;
  if (limit.passed())
    return try_take(row);
  memory::wait_note note{memory::wait_kind::unit, this, limit};
  for (;;) {
    std::uint32_t room = 0;
    {
      session inside{*this, row};
      room = waiters().room();
    }
    bool taken = false;
    if (auto* const at = wait_in_line(me, row, taken)) {
      const auto ticket = at->ticket.load(std::memory_order_relaxed);
      for (;;) {
        // acquire: pairs with the release in rouse.
        const auto seen = at->wake_word.load(std::memory_order_acquire);
        if (take_in_line(me, *at, ticket, row))
          return true;
        if (!line::sleep(*at, seen, limit, note)) {
          if (take_in_line(me, *at, ticket, row))
            return true;
          leave_line(me, *at, ticket, row);
          return false;
        }
        TROUPE_CRASH_POINT("sync.semaphore.woken");
      }
    }
    if (taken)
      return true;
    if (!waiters().wait_for_room(room, limit, note))
      return false;
  }
}

place* semaphore_units::wait_in_line(owner me, std::uint32_t host,
                                     bool& taken) noexcept {
  session inside{*this, host};
  taken = value_.load(std::memory_order_relaxed) > 0 && may_overtake();
  if (taken) {
    take_one(me.row());
    return nullptr;
  }
  return waiters().enrol(me, host, taken_.load(std::memory_order_relaxed));
}

bool semaphore_units::take_in_line(owner me, place& at, std::uint64_t ticket,
                                   std::uint32_t own_row) noexcept {
  // Without the latch first: a look that comes too early sleeps and is roused.
  if (value_.load(std::memory_order_seq_cst) <= 0)
    return false;
  session inside{*this, own_row};
  const auto free = value_.load(std::memory_order_relaxed);
  if (free <= 0)
    return false;
  if (at.waiter() != me || at.ticket.load(std::memory_order_relaxed) != ticket)
    return false;
  take_one(me.row());
  waiters().leave(at);
  if (free > 1)
    rouse(free - 1);
  return true;
}

void semaphore_units::take_back(std::uint32_t row,
                                std::uint32_t own_row) noexcept {
  session inside{*this, own_row};
  repair(row);
}

void semaphore_units::leave_line(owner me, place& at, std::uint64_t ticket,
                                 std::uint32_t own_row) noexcept {
  session inside{*this, own_row};
  waiters().leave(at, me, ticket);
  // We may have been the one whom a release has roused.
  rouse(value_.load(std::memory_order_relaxed));
}

semaphore_units::release_result
semaphore_units::give(std::uint32_t row, std::int64_t count,
                      std::uint32_t own_row) noexcept {
  session inside{*this, own_row};
  const auto free = value_.load(std::memory_order_relaxed);
  if (count > bound_ - free)
    return release_result::above_bound;
  const auto own = account(row).load(std::memory_order_relaxed);
  const auto back = std::min<std::int64_t>(own, count);
  write(row, own - static_cast<std::uint32_t>(back), free + count);
  TROUPE_CRASH_POINT("sync.semaphore.given");
  rouse(free + count);
  return release_result::done;
}

void semaphore_units::give_back_lost(std::uint32_t row, std::int64_t count,
                                     std::uint32_t own_row) noexcept {
  session inside{*this, own_row};
  lose(row, std::min<std::int64_t>(account(row).load(std::memory_order_relaxed),
                                   count));
}

/// Takes `count` units out of the account of `row`; so many of them are free
/// again as bring the value to where it began.
void semaphore_units::lose(std::uint32_t row, std::int64_t count) noexcept {
  const auto free = value_.load(std::memory_order_relaxed);
  const auto held = account(row).load(std::memory_order_relaxed);
  const auto lost = std::max<std::int64_t>(0, initial_ - free);
  if (count != 0)
    write(row, held - static_cast<std::uint32_t>(count),
          free + std::min(count, lost));
  TROUPE_CRASH_POINT("sync.repair.returned");
  rouse(value_.load(std::memory_order_relaxed));
}

/// Rouses the first `count` of the line.
void semaphore_units::rouse(std::int64_t count) noexcept {
  auto standing = waiters();
  std::uint64_t after = 0;
  for (; count > 0; --count) {
    auto* const next = standing.first([after](const place& each) {
      return each.ticket.load(std::memory_order_relaxed) > after;
    });
    if (next == nullptr)
      return;
    after = next->ticket.load(std::memory_order_relaxed);
    line::rouse(*next);
  }
}

void semaphore_units::repair(std::uint32_t row) noexcept {
  finish_entry();
  auto standing = waiters();
  standing.remove(row, [](place&) {});
  standing.open_up();
  lose(row, account(row).load(std::memory_order_relaxed));
}

} // namespace troupe::sync
