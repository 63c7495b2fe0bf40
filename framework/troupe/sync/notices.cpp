// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/notices.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>

namespace troupe::sync {

namespace {

constexpr std::uint64_t notified = 1;

bool is_notified(const place& at) noexcept {
  // acquire: pairs with the release in notify_next.
  return at.mark.load(std::memory_order_acquire) == notified;
}

memory::reference make_line(const void*) {
  return memory::reference::create(line_kind, line::size(notices::places));
}

} // namespace

place* notices::enrol(owner me, std::uint32_t host) noexcept {
  if (!see_to_line(line_, make_line))
    return nullptr;
  session inside{*this, host};
  return waiters().enrol(me, host, 0);
}

bool notices::take(place& at, std::uint32_t row) noexcept {
  return is_notified(at) && leave(at, row);
}

bool notices::leave(place& at, std::uint32_t row) noexcept {
  session inside{*this, row};
  const bool result = is_notified(at);
  waiters().leave(at);
  return result;
}

bool notices::take(owner who, place& at, std::uint64_t ticket,
                   std::uint32_t row) noexcept {
  return is_notified(at) && withdraw(who, at, ticket, row);
}

bool notices::withdraw(owner who, place& at, std::uint64_t ticket,
                       std::uint32_t row) noexcept {
  session inside{*this, row};
  const bool result = is_notified(at);
  return waiters().leave(at, who, ticket) && result;
}

bool notices::sleep(place& at, std::uint32_t row, deadline limit) noexcept {
  static_cast<void>(
    os::spin(tuning::notification, [&at] { return is_notified(at); }));
  memory::wait_note note{memory::wait_kind::notification, this, limit};
  for (;;) {
    // acquire: pairs with the release in rouse.
    const auto seen = at.wake_word.load(std::memory_order_acquire);
    if (take(at, row))
      return true;
    if (!line::sleep(at, seen, limit, note))
      return leave(at, row);
    TROUPE_CRASH_POINT("sync.condition.woken");
  }
}

bool notices::notify_next() noexcept {
  auto* const next
    = waiters().first([](const place& each) { return !is_notified(each); });
  if (next == nullptr)
    return false;
  next->mark.store(notified, std::memory_order_release);
  TROUPE_CRASH_POINT("sync.condition.notified");
  line::rouse(*next);
  return true;
}

std::uint32_t notices::notify(std::uint32_t count, std::uint32_t row) noexcept {
  session inside{*this, row};
  std::uint32_t done = 0;
  while (done < count && notify_next())
    ++done;
  return done;
}

void notices::repair(std::uint32_t row) noexcept {
  auto standing = waiters();
  standing.remove(row, [&](place& dead) {
    if (!is_notified(dead))
      return;
    // Not to one that is dead as well and comes later.
    auto* const next = standing.first([row](const place& each) {
      return !is_notified(each) && !each.waiter().is_of(row)
             && each.host.load(std::memory_order_relaxed) != row;
    });
    if (next == nullptr)
      return;
    next->mark.store(notified, std::memory_order_release);
    TROUPE_CRASH_POINT("sync.repair.passed_on");
    line::rouse(*next);
  });
  standing.open_up();
  // The dead may have marked one and not roused it.
  standing.for_each([](place& each) {
    if (is_notified(each))
      line::rouse(each);
  });
}

} // namespace troupe::sync
