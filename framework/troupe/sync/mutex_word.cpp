// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/mutex_word.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/os/tuning.hpp>

namespace troupe::sync {

namespace {

constexpr std::uint64_t flags = ~owner::mask;

bool is_free(std::uint64_t word) noexcept {
  return (word & owner::mask) == 0;
}

memory::reference make_wait_queue(const void*) {
  return memory::reference::create(wait_queue_kind,
                                   wait_queue::size(mutex_word::most_waiters));
}

/// Not the owner's: an actor's lock is given back by another process for it.
std::uint32_t own_row() noexcept {
  return memory::run_memory::current().self().index;
}

} // namespace

bool mutex_word::take_if_free(std::uint64_t seen, owner me) noexcept {
  while (is_free(seen))
    if (word_.compare_exchange_weak(seen, seen | me.bits(),
                                    std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      note_taken();
      return true;
    }
  return false;
}

bool mutex_word::spin(owner me, deadline limit) noexcept {
  if (os::has_one_processor() || limit.passed())
    return false;
  bool taken = false;
  static_cast<void>(os::spin(tuning::mutex, [&] {
    const auto seen = word_.load(std::memory_order_relaxed);
    taken = is_free(seen) && take_if_free(seen, me);
    return taken || (seen & owed) != 0;
  }));
  return taken;
}

bool mutex_word::take(owner me, deadline limit) noexcept {
  if (try_take(me) || spin(me, limit))
    return true;
  if (limit.passed())
    return false;
  const auto row = me.row();
  memory::wait_note note{memory::wait_kind::lock, this, limit};
  waiter* at = nullptr;
  for (;;) {
    std::uint32_t room = 0;
    const bool has_queue = ensure_wait_queue(queue_, make_wait_queue);
    if (has_queue) {
      repairing_lock held{*this, row};
      room = waiters().room();
      at = waiters().enqueue(me, row, fence_.load(std::memory_order_relaxed));
      if (at != nullptr)
        // seq_cst: whoever unlocks after this sees it.
        word_.fetch_or(waiting, std::memory_order_seq_cst);
    }
    if (at != nullptr)
      break;
    if (try_take(me))
      return true;
    if (!(has_queue ? waiters().wait_for_room(room, limit, note)
                    : sleep_briefly(limit, note)))
      return false;
  }
  const auto ticket = at->ticket.load(std::memory_order_relaxed);
  for (;;) {
    // acquire: pairs with the release in announce.
    const auto seen = at->wake_word.load(std::memory_order_acquire);
    if (take_as_waiter(me, *at, ticket, row))
      return true;
    if (!wait_queue::sleep(*at, seen, limit, note))
      return leave_queue(me, *at, ticket, row);
    TROUPE_CRASH_POINT("sync.lock.woken");
  }
}

waiter* mutex_word::enqueue(owner me, std::uint32_t host) noexcept {
  if (!ensure_wait_queue(queue_, make_wait_queue))
    return nullptr;
  repairing_lock held{*this, host};
  auto* const at = waiters().enqueue(me, host,
                                     fence_.load(std::memory_order_relaxed));
  if (at != nullptr)
    word_.fetch_or(waiting, std::memory_order_seq_cst);
  return at;
}

bool mutex_word::take_as_waiter(owner me, waiter& at, std::uint64_t ticket,
                                std::uint32_t row) noexcept {
  os::spinning turns{tuning::overtaken};
  for (auto seen = word_.load(std::memory_order_seq_cst);;
       seen = word_.load(std::memory_order_seq_cst)) {
    const bool granted = owner{seen} == me && is_handed_to(at);
    if (granted)
      note_taken();
    if (granted || take_if_free(seen, me)) {
      repairing_lock held{*this, row};
      waiters().leave(at, me, ticket);
      settle();
      return true;
    }
    // Woken, but another thread was faster: it will probably unlock soon.
    if ((seen & woken) != 0 && turns.pause())
      continue;
    if (may_sleep(at, seen, row))
      return false;
  }
}

/// Returns whether the word says that the owner will wake who now sleeps.
bool mutex_word::may_sleep(waiter& at, std::uint64_t seen,
                           std::uint32_t row) noexcept {
  if (is_free(seen) || (seen & waiting) == 0)
    return false;
  auto wanted = seen & ~woken;
  const auto overtakes = fence_.load(std::memory_order_relaxed)
                         - (at.mark.load(std::memory_order_relaxed) & ~handed);
  if ((seen & owed) == 0 && overtakes > most_overtakes) {
    repairing_lock held{*this, row};
    if (waiters().first() == &at)
      wanted |= owed;
  }
  if (wanted == seen)
    return true;
  // seq_cst: the owner that unlocks next finds it, or we find the lock free.
  return word_.compare_exchange_strong(seen, wanted, std::memory_order_seq_cst);
}

bool mutex_word::leave_queue(owner me, waiter& at, std::uint64_t ticket,
                             std::uint32_t row) noexcept {
  repairing_lock held{*this, row};
  const bool granted = holder() == me && is_handed_to(at);
  if (granted)
    note_taken();
  waiters().leave(at, me, ticket);
  settle();
  const auto seen = word_.load(std::memory_order_seq_cst);
  // We may have been the one whom the last unlock has woken.
  if (is_free(seen) && (seen & waiting) != 0)
    if (auto* const next = waiters().first()) {
      word_.fetch_or(woken, std::memory_order_seq_cst);
      wait_queue::notify(*next);
    }
  return granted;
}

/// After a place was given up: what the word says of the queue is true again.
void mutex_word::settle() noexcept {
  TROUPE_CRASH_POINT("sync.lock.settling");
  const auto gone = waiters().empty() ? waiting | woken | owed : woken | owed;
  word_.fetch_and(~gone, std::memory_order_seq_cst);
}

bool mutex_word::give_back_slowly(std::uint64_t seen, owner me) noexcept {
  for (;;) {
    if (owner{seen} != me)
      return false;
    if ((seen & owed) != 0) {
      if (hand_over())
        return true;
      seen = word_.load(std::memory_order_relaxed);
      continue;
    }
    const bool somebody = (seen & (waiting | woken)) == waiting;
    const auto wanted = (seen & flags & ~died) | (somebody ? woken : 0);
    if (word_.compare_exchange_weak(seen, wanted, std::memory_order_seq_cst,
                                    std::memory_order_relaxed)) {
      TROUPE_CRASH_POINT("sync.unlock.before_wake");
      if (somebody)
        wake_first(own_row());
      return true;
    }
  }
}

void mutex_word::wake_first(std::uint32_t row) noexcept {
  repairing_lock held{*this, row};
  auto* const next = waiters().first();
  if (next == nullptr)
    return settle();
  wait_queue::announce(*next);
  held.unlock();
  wait_queue::wake(*next);
}

/// Makes the first of the queue the owner. False: nobody is there any more.
bool mutex_word::hand_over() noexcept {
  repairing_lock held{*this, own_row()};
  auto* const next = waiters().first();
  if (next == nullptr) {
    settle();
    return false;
  }
  // First: whoever finds itself the owner finds that it is so by this place,
  // and not by another request of the same actor.
  next->mark.fetch_or(handed, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("sync.unlock.marked");
  auto seen = word_.load(std::memory_order_relaxed);
  while (!word_.compare_exchange_weak(
    seen, next->identity().bits() | (seen & flags & ~(owed | died)),
    std::memory_order_seq_cst, std::memory_order_relaxed)) {
  }
  TROUPE_CRASH_POINT("sync.unlock.handed_over");
  wait_queue::announce(*next);
  held.unlock();
  wait_queue::wake(*next);
  return true;
}

void mutex_word::take_from(std::uint32_t row) noexcept {
  auto seen = word_.load(std::memory_order_relaxed);
  while (owner{seen}.is_of(row)
         && !word_.compare_exchange_weak(seen, (seen & flags) | died,
                                         std::memory_order_seq_cst,
                                         std::memory_order_relaxed)) {
  }
}

bool mutex_word::take_from(owner who, std::uint32_t own_row) noexcept {
  auto seen = word_.load(std::memory_order_relaxed);
  while (owner{seen} == who)
    if (word_.compare_exchange_weak(seen, (seen & flags) | died,
                                    std::memory_order_seq_cst,
                                    std::memory_order_relaxed)) {
      wake_first(own_row);
      return true;
    }
  return false;
}

void mutex_word::repair(std::uint32_t row) noexcept {
  auto standing = waiters();
  standing.remove(row, [](waiter&) {});
  standing.notify_room();
  TROUPE_CRASH_POINT("sync.repair.removed");
  settle();
  // The dead may have been about to wake the first, or have handed over.
  if (auto* const next = standing.first()) {
    word_.fetch_or(woken, std::memory_order_seq_cst);
    wait_queue::notify(*next);
  }
}

} // namespace troupe::sync
