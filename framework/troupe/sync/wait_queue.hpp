// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/sync/owner.hpp>
#include <troupe/sync/robust_lock.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::sync {

/// The kind of an object that is nothing but a queue. Here and not with the
/// others, so that only this layer knows it.
inline constexpr memory::object_kind wait_queue_kind{22};

/// One who waits in a queue.
///
///     0    who     an `owner`; 0: nobody waits here. Stored last when it is
///                  taken, and first when it is given up
///     8    ticket  the lowest in the queue is first
///     16   mark    the object's own note
///     24   wake_word    counted up to wake who waits
///     28   host    row of the process that sleeps here: the owner's own, or
///                  that of the actor that waits on an actor's behalf
struct waiter {
  // `who`: release in `enqueue`, behind `ticket`, `mark` and `host`, and in
  // `leave`; acquire in `for_each`, which `waiters()` calls without the robust
  // lock. The others are relaxed, under that lock; `wake` reads `who` and
  // `host` without it, for whoever is woken in vain looks again. `mark`:
  // release in `notify_next` and acquire in `is_notified`, which looks without
  // the lock, of a condition; of a mutex it is relaxed, before the exchange of
  // the mutex's word. `wake_word`: release in `announce`, acquire by who sleeps
  // there, before it looks.
  std::atomic<std::uint64_t> who;
  std::atomic<std::uint64_t> ticket;
  std::atomic<std::uint64_t> mark;
  os::wait_word wake_word;
  std::atomic<std::uint32_t> host;

  [[nodiscard]] owner identity() const noexcept {
    return owner{who.load(std::memory_order_relaxed)};
  }
};

static_assert(sizeof(waiter) == 32);

/// What stands in shared memory before the places of a queue.
///
///     0    robust lock
///     4    high      one above the highest place ever taken
///     8    tickets   the last one given out
///     16   crowded   1: somebody found no free place
///     20   room      counted up when one is free again
///     24   (unused)
///     64   dead      a bit for each process that died and is not cleared up
///     …    places
struct wait_queue_head {
  robust_lock guard;
  // `high`, `tickets` and `crowded`: relaxed, under the robust lock. `room`:
  // release in `notify_room`; read relaxed under the lock by who finds no
  // place, and slept on.
  std::atomic<std::uint32_t> high;
  std::atomic<std::uint64_t> tickets;
  std::atomic<std::uint32_t> crowded;
  os::wait_word room;
  std::byte unused[40];
};

static_assert(sizeof(wait_queue_head) == 64);

/// The queue of those who wait for a sync object, and the robust lock around
/// it.
///
/// A view: the queue itself lies in the object's payload, all zero when empty.
/// It is a table and no list, so there is no link that a crash could leave
/// half done: a place is taken, or given up, by one store. Everything but
/// `sleep` and `notify` is for who is under the robust lock; see
/// `repairing_lock`.
///
/// # What a crash leaves
/// The places of the dead, until the object's `repair` takes them out.
class wait_queue {
public:
  /// Bytes of a queue with `capacity` places.
  [[nodiscard]] static std::uint64_t size(std::uint32_t capacity);

  /// The queue at `start`, which is aligned to 64 bytes.
  wait_queue(std::byte* start, std::uint32_t capacity) noexcept;

  /// The queue at `start` with the robust lock `guard` outside of it; where
  /// `start` is nullptr, one that has no place, in which nobody stands.
  wait_queue(robust_lock& guard, std::byte* start,
             std::uint32_t capacity) noexcept;

  /// Takes a place at the end of the queue; nullptr if none is free.
  [[nodiscard]] waiter* enqueue(owner who, std::uint32_t host,
                                std::uint64_t mark) noexcept;

  /// Gives a place up.
  void leave(waiter& of) noexcept;

  /// The same if it still is that of `who`, with that ticket: who waits on
  /// behalf of an actor does not know whether the actor's death was first.
  bool leave(waiter& of, owner who, std::uint64_t ticket) noexcept;

  /// The first in the queue for which `wanted` holds, nullptr if there is none.
  template <class Wanted>
  [[nodiscard]] waiter* first(Wanted wanted) noexcept {
    waiter* found = nullptr;
    for_each([&](waiter& each) {
      if (wanted(each) && (found == nullptr || is_before(each, *found)))
        found = &each;
    });
    return found;
  }

  [[nodiscard]] waiter* first() noexcept {
    return first([](const waiter&) { return true; });
  }

  [[nodiscard]] bool empty() noexcept {
    return first() == nullptr;
  }

  /// Calls `visit` for every place that is taken, in no order.
  template <class Visit>
  void for_each(Visit visit) noexcept {
    if (head_ == nullptr)
      return;
    const auto high = head_->high.load(std::memory_order_relaxed);
    for (std::uint32_t at = 0; at < high && at < capacity_; ++at)
      // acquire: pairs with the release in enqueue, for `waiters()` looks
      // without the robust lock.
      if (waiters_[at].who.load(std::memory_order_acquire) != 0)
        visit(waiters_[at]);
  }

  /// Takes out who belongs to the dead process in `row`, or waited there.
  /// Calls `on_death` for each first.
  template <class OnDeath>
  void remove(std::uint32_t row, OnDeath on_death) noexcept {
    for_each([&](waiter& each) {
      if (each.identity().is_of(row)
          || each.host.load(std::memory_order_relaxed) == row) {
        on_death(each);
        leave(each);
      }
    });
  }

  /// Wakes who sleeps at `at`. Outside of the robust lock it may be somebody
  /// else by now, who then looks and sleeps again.
  static void notify(waiter& at) noexcept;

  /// The two halves of `notify`: to be woken, and to wake. Whoever does the
  /// second without the robust lock is not in the way of who wakes.
  static void announce(waiter& at) noexcept;
  static void wake(waiter& at) noexcept;

  /// Sleeps at `at` until woken after `seen` was read from its wake word.
  /// False: `limit` has passed. True also for no reason.
  static bool sleep(const waiter& at, std::uint32_t seen, deadline limit,
                    memory::wait_note& note) noexcept;

  /// Waits until a place may be free, if none was. `seen` was read from
  /// `room()` under the robust lock. False: `limit` has passed.
  /// @pre the queue has places
  [[nodiscard]] bool wait_for_room(std::uint32_t seen, deadline limit,
                                   memory::wait_note& note) noexcept;

  [[nodiscard]] std::uint32_t room() const noexcept {
    return head_ == nullptr ? 0 : head_->room.load(std::memory_order_relaxed);
  }

  /// Wakes who waits for a place: somebody has died.
  void notify_room() noexcept;

  [[nodiscard]] robust_lock& guard() noexcept {
    return *guard_;
  }

  void mark_dead(std::uint32_t row) noexcept;

  /// Calls `repair(row)` for each process that is marked dead.
  template <class Repair>
  void reclaim_dead(Repair repair) noexcept {
    for (std::uint32_t at = 0; at < words_; ++at)
      // acquire: pairs with the release in mark_dead.
      for (auto seen = dead_[at].load(std::memory_order_acquire); seen != 0;
           seen = dead_[at].load(std::memory_order_acquire)) {
        const auto bit = static_cast<std::uint32_t>(__builtin_ctzll(seen));
        repair(at * 64 + bit);
        // Last: had we been killed before, somebody would do it again.
        dead_[at].fetch_and(~(1ULL << bit), std::memory_order_acq_rel);
      }
  }

private:
  static bool is_before(const waiter& a, const waiter& b) noexcept {
    return a.ticket.load(std::memory_order_relaxed)
           < b.ticket.load(std::memory_order_relaxed);
  }

  static std::uint32_t dead_words();

  robust_lock* guard_;
  wait_queue_head* head_;
  std::atomic<std::uint64_t>* dead_;
  waiter* waiters_;
  std::uint32_t words_;
  std::uint32_t capacity_;
};

/// Sees that there is a queue in `at`, made when somebody first stands in it,
/// for the object that `at` is a part of. Outside of the robust lock, for this
/// takes memory. `make` makes an object of `wait_queue_kind`. False: there is
/// no memory.
[[nodiscard]] bool
ensure_wait_queue(memory::late_object& at,
                  memory::reference (*make)(const void* context)) noexcept;

/// Sleeps for a moment where there is no queue to be woken in. False: `limit`
/// has passed.
bool sleep_briefly(deadline limit, memory::wait_note& note) noexcept;

/// Repairs what those have left who died while another owned the lock.
template <class Object>
void repair_marked(Object& of) noexcept {
  const auto repair = [&of](std::uint32_t row) { of.repair(row); };
  of.waiters().reclaim_dead(repair);
  // What an object marks itself, as it may have no queue.
  if constexpr (requires { of.reclaim_dead(repair); })
    of.reclaim_dead(repair);
}

/// Holds the robust lock of an object, and repairs the object before it unlocks
/// if a process has died meanwhile. `Object` has a `wait_queue waiters()` and a
/// `void repair(std::uint32_t row) noexcept`.
template <class Object>
class repairing_lock {
public:
  repairing_lock(Object& of, std::uint32_t row) noexcept
    : of_(of), waiters_(of.waiters()) {
    waiters_.guard().lock(row);
  }

  repairing_lock(const repairing_lock&) = delete;
  repairing_lock& operator=(const repairing_lock&) = delete;

  ~repairing_lock() {
    unlock();
  }

  void unlock() noexcept {
    // The queue may have been made since it was locked.
    while (owns_ && !waiters_.guard().try_unlock())
      repair_marked(of_);
    owns_ = false;
  }

private:
  Object& of_;
  wait_queue waiters_;
  bool owns_ = true;
};

/// What the `holder_died` and the `holder_left` of an object with a wait queue
/// do: sees that `repair` is done for `row`, now or by who owns the lock.
template <class Object>
void repair_after_death(Object& of, std::uint32_t row,
                        std::uint32_t own_row) noexcept {
  auto& guard = of.waiters().guard();
  constexpr bool marks = requires { of.mark_dead(row); };
  if constexpr (marks)
    of.mark_dead(row);
  else
    of.waiters().mark_dead(row);
  if (!guard.try_lock_after_death(row, own_row))
    return;
  // It may have died as the owner, before there was anything to mark.
  if constexpr (marks)
    of.repair(row);
  do
    repair_marked(of);
  while (!guard.try_unlock_after_death());
}

} // namespace troupe::sync
