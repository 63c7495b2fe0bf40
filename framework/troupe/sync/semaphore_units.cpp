// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/semaphore_units.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>

#include <algorithm>

namespace troupe::sync {

namespace {

memory::reference make_wait_queue(const void*) {
  const auto rows = std::uint64_t{memory::run_memory::current().header().slots}
                    + 1;
  return memory::reference::create(
    wait_queue_kind, wait_queue::size(semaphore_units::most_waiters)
                       + rows * sizeof(std::uint32_t));
}

} // namespace

void semaphore_units::initialise(std::int64_t initial,
                                 std::int64_t bound) noexcept {
  initial_ = initial;
  bound_ = bound;
  value_.store(initial, std::memory_order_release);
}

std::atomic<std::uint64_t>*
semaphore_units::find_inside(std::uint32_t row) noexcept {
  for (auto& each : inside_)
    if (const auto seen = each.load(std::memory_order_relaxed);
        seen != 0 && row_of(seen) == row)
      return &each;
  return nullptr;
}

/// One that has no units; it may still name the row that had some.
std::atomic<std::uint64_t>* semaphore_units::find_empty() noexcept {
  for (auto& each : inside_)
    if (units_in(each.load(std::memory_order_relaxed)) == 0)
      return &each;
  return nullptr;
}

// relaxed, under the robust lock.
std::atomic<std::uint32_t>*
semaphore_units::find_outside(std::uint32_t row) noexcept {
  auto* const start = queue_.find();
  return start == nullptr ? nullptr
                          : reinterpret_cast<std::atomic<std::uint32_t>*>(
                              start + wait_queue::size(most_waiters))
                              + row;
}

std::uint32_t semaphore_units::units_of(std::uint32_t row) noexcept {
  if (const auto* account = find_inside(row))
    return units_in(account->load(std::memory_order_relaxed));
  const auto* account = find_outside(row);
  return account == nullptr ? 0 : account->load(std::memory_order_relaxed);
}

/// To be done again after a death inside: each way is one store, after which
/// the account is found where it was stored.
void semaphore_units::set_units(std::uint32_t row,
                                std::uint32_t units) noexcept {
  auto* inside = find_inside(row);
  if (inside == nullptr) {
    auto* const outside = find_outside(row);
    if (outside != nullptr
        && (units == 0 || outside->load(std::memory_order_relaxed) != 0))
      return outside->store(units, std::memory_order_relaxed);
    if (units != 0)
      inside = find_empty();
    if (inside == nullptr) {
      if (outside != nullptr)
        outside->store(units, std::memory_order_relaxed);
      return;
    }
  }
  const auto wanted = (std::uint64_t{row} + 1) | std::uint64_t{units} << 32;
  // Nobody marks a living process as dead.
  if (row == memory::run_memory::current().self().index)
    return inside->store(wanted, std::memory_order_relaxed);
  auto seen = inside->load(std::memory_order_relaxed);
  while (!inside->compare_exchange_weak(
    seen, units == 0 || row_of(seen) != row ? wanted : wanted | (seen & dead),
    std::memory_order_relaxed)) {
  }
}

/// Whether a unit more for the process in `row` can be noted.
bool semaphore_units::has_room_for(std::uint32_t row) noexcept {
  return find_inside(row) != nullptr || find_empty() != nullptr
         || queue_.find() != nullptr;
}

bool semaphore_units::ensure_wait_queue() noexcept {
  return sync::ensure_wait_queue(queue_, make_wait_queue);
}

void semaphore_units::mark_dead(std::uint32_t row) noexcept {
  waiters().mark_dead(row);
  for (auto& each : inside_)
    for (auto seen = each.load(std::memory_order_relaxed);
         units_in(seen) != 0 && row_of(seen) == row && (seen & dead) == 0;)
      // release: pairs with the acquire in reclaim_dead.
      if (each.compare_exchange_weak(seen, seen | dead,
                                     std::memory_order_release,
                                     std::memory_order_relaxed))
        break;
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
  set_units(row - 1, entry_count_.load(std::memory_order_relaxed));
  TROUPE_CRASH_POINT("sync.semaphore.half");
  value_.store(entry_value_.load(std::memory_order_relaxed),
               std::memory_order_relaxed);
  entry_row_.store(0, std::memory_order_release);
}

void semaphore_units::take_one(std::uint32_t row) noexcept {
  write(row, units_of(row) + 1, value_.load(std::memory_order_relaxed) - 1);
  taken_.store(taken_.load(std::memory_order_relaxed) + 1,
               std::memory_order_relaxed);
}

/// Whether one who does not stand in the queue may take a unit.
bool semaphore_units::may_overtake() noexcept {
  auto* const first = waiters().first();
  return first == nullptr
         || taken_.load(std::memory_order_relaxed)
                - first->mark.load(std::memory_order_relaxed)
              <= most_overtakes;
}

bool semaphore_units::try_take(std::uint32_t row) noexcept {
  do {
    repairing_lock held{*this, row};
    if (value_.load(std::memory_order_relaxed) <= 0 || !may_overtake())
      return false;
    if (has_room_for(row)) {
      take_one(row);
      return true;
    }
  } while (ensure_wait_queue());
  return false;
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
    if (!ensure_wait_queue()) {
      if (try_take(row))
        return true;
      if (!sleep_briefly(limit, note))
        return false;
      continue;
    }
    std::uint32_t room = 0;
    {
      repairing_lock held{*this, row};
      room = waiters().room();
    }
    bool taken = false;
    if (auto* const at = enqueue(me, row, taken)) {
      const auto ticket = at->ticket.load(std::memory_order_relaxed);
      for (;;) {
        // acquire: pairs with the release in announce.
        const auto seen = at->wake_word.load(std::memory_order_acquire);
        if (take_as_waiter(me, *at, ticket, row))
          return true;
        if (!wait_queue::sleep(*at, seen, limit, note)) {
          if (take_as_waiter(me, *at, ticket, row))
            return true;
          leave_queue(me, *at, ticket, row);
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

waiter* semaphore_units::enqueue(owner me, std::uint32_t host,
                                 bool& taken) noexcept {
  taken = false;
  if (!ensure_wait_queue())
    return nullptr;
  repairing_lock held{*this, host};
  taken = value_.load(std::memory_order_relaxed) > 0 && may_overtake();
  if (taken) {
    take_one(me.row());
    return nullptr;
  }
  return waiters().enqueue(me, host, taken_.load(std::memory_order_relaxed));
}

bool semaphore_units::take_as_waiter(owner me, waiter& at, std::uint64_t ticket,
                                     std::uint32_t own_row) noexcept {
  // Without the robust lock first: a look that comes too early sleeps and is
  // woken.
  if (value_.load(std::memory_order_seq_cst) <= 0)
    return false;
  repairing_lock held{*this, own_row};
  const auto free = value_.load(std::memory_order_relaxed);
  if (free <= 0)
    return false;
  if (at.identity() != me
      || at.ticket.load(std::memory_order_relaxed) != ticket)
    return false;
  take_one(me.row());
  waiters().leave(at);
  if (free > 1)
    wake(free - 1);
  return true;
}

void semaphore_units::take_back(std::uint32_t row,
                                std::uint32_t own_row) noexcept {
  repairing_lock held{*this, own_row};
  repair(row);
}

void semaphore_units::leave_queue(owner me, waiter& at, std::uint64_t ticket,
                                  std::uint32_t own_row) noexcept {
  repairing_lock held{*this, own_row};
  waiters().leave(at, me, ticket);
  // We may have been the one whom a release has woken.
  wake(value_.load(std::memory_order_relaxed));
}

semaphore_units::release_result
semaphore_units::give(std::uint32_t row, std::int64_t count,
                      std::uint32_t own_row) noexcept {
  repairing_lock held{*this, own_row};
  const auto free = value_.load(std::memory_order_relaxed);
  if (count > bound_ - free)
    return release_result::above_bound;
  const auto own = units_of(row);
  const auto back = std::min<std::int64_t>(own, count);
  write(row, own - static_cast<std::uint32_t>(back), free + count);
  TROUPE_CRASH_POINT("sync.semaphore.given");
  wake(free + count);
  return release_result::done;
}

void semaphore_units::give_back_lost(std::uint32_t row, std::int64_t count,
                                     std::uint32_t own_row) noexcept {
  repairing_lock held{*this, own_row};
  lose(row, std::min<std::int64_t>(units_of(row), count));
}

/// Takes `count` units out of the account of `row`; so many of them are free
/// again as bring the value to where it began.
void semaphore_units::lose(std::uint32_t row, std::int64_t count) noexcept {
  const auto free = value_.load(std::memory_order_relaxed);
  const auto units = units_of(row);
  const auto lost = std::max<std::int64_t>(0, initial_ - free);
  if (count != 0)
    write(row, units - static_cast<std::uint32_t>(count),
          free + std::min(count, lost));
  TROUPE_CRASH_POINT("sync.repair.returned");
  wake(value_.load(std::memory_order_relaxed));
}

/// Wakes the first `count` of the queue.
void semaphore_units::wake(std::int64_t count) noexcept {
  auto standing = waiters();
  std::uint64_t after = 0;
  for (; count > 0; --count) {
    auto* const next = standing.first([after](const waiter& each) {
      return each.ticket.load(std::memory_order_relaxed) > after;
    });
    if (next == nullptr)
      return;
    after = next->ticket.load(std::memory_order_relaxed);
    wait_queue::notify(*next);
  }
}

void semaphore_units::repair(std::uint32_t row) noexcept {
  finish_entry();
  auto standing = waiters();
  standing.remove(row, [](waiter&) {});
  standing.notify_room();
  lose(row, units_of(row));
}

} // namespace troupe::sync
