// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/condition_state.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>

namespace troupe::sync {

namespace {

constexpr std::uint64_t notified = 1;

bool is_notified(const waiter& at) noexcept {
  // acquire: pairs with the release in notify_next.
  return at.mark.load(std::memory_order_acquire) == notified;
}

memory::reference make_wait_queue(const void*) {
  return memory::reference::create(
    wait_queue_kind, wait_queue::size(condition_state::most_waiters));
}

} // namespace

waiter* condition_state::enqueue(owner me, std::uint32_t host) noexcept {
  if (!ensure_wait_queue(queue_, make_wait_queue))
    return nullptr;
  repairing_lock held{*this, host};
  return waiters().enqueue(me, host, 0);
}

bool condition_state::take(waiter& at, std::uint32_t row) noexcept {
  return is_notified(at) && leave(at, row);
}

bool condition_state::leave(waiter& at, std::uint32_t row) noexcept {
  repairing_lock held{*this, row};
  const bool result = is_notified(at);
  waiters().leave(at);
  return result;
}

bool condition_state::take(owner who, waiter& at, std::uint64_t ticket,
                           std::uint32_t row) noexcept {
  return is_notified(at) && withdraw(who, at, ticket, row);
}

bool condition_state::withdraw(owner who, waiter& at, std::uint64_t ticket,
                               std::uint32_t row) noexcept {
  repairing_lock held{*this, row};
  const bool result = is_notified(at);
  return waiters().leave(at, who, ticket) && result;
}

bool condition_state::sleep(waiter& at, std::uint32_t row,
                            deadline limit) noexcept {
  static_cast<void>(
    os::spin(tuning::notification, [&at] { return is_notified(at); }));
  memory::wait_note note{memory::wait_kind::notification, this, limit};
  for (;;) {
    // acquire: pairs with the release in announce.
    const auto seen = at.wake_word.load(std::memory_order_acquire);
    if (take(at, row))
      return true;
    if (!wait_queue::sleep(at, seen, limit, note))
      return leave(at, row);
    TROUPE_CRASH_POINT("sync.condition.woken");
  }
}

bool condition_state::notify_next() noexcept {
  auto* const next
    = waiters().first([](const waiter& each) { return !is_notified(each); });
  if (next == nullptr)
    return false;
  next->mark.store(notified, std::memory_order_release);
  TROUPE_CRASH_POINT("sync.condition.notified");
  wait_queue::notify(*next);
  return true;
}

std::uint32_t condition_state::notify(std::uint32_t count,
                                      std::uint32_t row) noexcept {
  repairing_lock held{*this, row};
  std::uint32_t done = 0;
  while (done < count && notify_next())
    ++done;
  return done;
}

void condition_state::repair(std::uint32_t row) noexcept {
  auto standing = waiters();
  standing.remove(row, [&](waiter& dead) {
    if (!is_notified(dead))
      return;
    // Not to one that is dead as well and comes later.
    auto* const next = standing.first([row](const waiter& each) {
      return !is_notified(each) && !each.identity().is_of(row)
             && each.host.load(std::memory_order_relaxed) != row;
    });
    if (next == nullptr)
      return;
    next->mark.store(notified, std::memory_order_release);
    TROUPE_CRASH_POINT("sync.repair.passed_on");
    wait_queue::notify(*next);
  });
  standing.notify_room();
  // The dead may have marked one and not woken it.
  standing.for_each([](waiter& each) {
    if (is_notified(each))
      wait_queue::notify(each);
  });
}

} // namespace troupe::sync
