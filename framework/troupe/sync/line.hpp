// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/memory/late_object.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/sync/latch.hpp>
#include <troupe/sync/owner.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::sync {

/// The kind of an object that is nothing but a line. Here and not with the others,
/// so that only this layer knows it.
inline constexpr memory::object_kind line_kind{22};

/// One who waits in a line.
///
///     0    who     an `owner`; 0: nobody waits here. Stored last when it is
///                  taken, and first when it is given up
///     8    ticket  the lowest in the line is first
///     16   mark    the object's own note
///     24   wake_word    counted up to rouse who waits
///     28   host    row of the process that sleeps here: the owner's own, or
///                  that of the actor that waits on an actor's behalf
struct place {
  std::atomic<std::uint64_t> who;
  std::atomic<std::uint64_t> ticket;
  std::atomic<std::uint64_t> mark;
  os::wait_word wake_word;
  std::atomic<std::uint32_t> host;

  [[nodiscard]] owner waiter() const noexcept {
    return owner{who.load(std::memory_order_relaxed)};
  }
};

static_assert(sizeof(place) == 32);

/// What stands in shared memory before the places of a line.
///
///     0    latch
///     4    high      one above the highest place ever taken
///     8    tickets   the last one given out
///     16   crowded   1: somebody found no free place
///     20   room      counted up when one is free again
///     24   (unused)
///     64   dead      a bit for each process that died and is not cleared up
///     …    places
struct line_head {
  latch door;
  std::atomic<std::uint32_t> high;
  std::atomic<std::uint64_t> tickets;
  std::atomic<std::uint32_t> crowded;
  os::wait_word room;
  std::byte unused[40];
};

static_assert(sizeof(line_head) == 64);

/// The line of those who wait for a sync object, and the latch around it.
///
/// A view: the line itself lies in the object's payload, all zero when empty.
/// It is a table and no list, so there is no link that a crash could leave
/// half done: a place is taken, or given up, by one store. Everything but
/// `sleep` and `rouse` is for who is inside the latch; see `session`.
///
/// # What a crash leaves
/// The places of the dead, until the object's `repair` takes them out.
class line {
public:
  /// Bytes of a line with `capacity` places.
  [[nodiscard]] static std::uint64_t size(std::uint32_t capacity);

  /// The line at `start`, which is aligned to 64 bytes.
  line(std::byte* start, std::uint32_t capacity) noexcept;

  /// The line at `start` with the latch `door` outside of it; where `start` is
  /// nullptr, one that has no place, in which nobody stands.
  line(latch& door, std::byte* start, std::uint32_t capacity) noexcept;

  /// Takes a place at the end of the line; nullptr if none is free.
  [[nodiscard]] place* enrol(owner who, std::uint32_t host,
                             std::uint64_t mark) noexcept;

  /// Gives a place up.
  void leave(place& of) noexcept;

  /// The same if it still is that of `who`, with that ticket: who waits on
  /// behalf of an actor does not know whether the actor's death was first.
  bool leave(place& of, owner who, std::uint64_t ticket) noexcept;

  /// The first in the line for which `wanted` holds, nullptr if there is none.
  template <class Wanted>
  [[nodiscard]] place* first(Wanted wanted) noexcept {
    place* found = nullptr;
    for_each([&](place& each) {
      if (wanted(each) && (found == nullptr || is_before(each, *found)))
        found = &each;
    });
    return found;
  }

  [[nodiscard]] place* first() noexcept {
    return first([](const place&) { return true; });
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
      // acquire: pairs with the release in enrol, for `waiters()` looks without
      // the latch.
      if (places_[at].who.load(std::memory_order_acquire) != 0)
        visit(places_[at]);
  }

  /// Takes out who belongs to the dead process in `row`, or waited there.
  /// Calls `on_death` for each first.
  template <class OnDeath>
  void remove(std::uint32_t row, OnDeath on_death) noexcept {
    for_each([&](place& each) {
      if (each.waiter().is_of(row)
          || each.host.load(std::memory_order_relaxed) == row) {
        on_death(each);
        leave(each);
      }
    });
  }

  /// Wakes who sleeps at `at`. Outside of the latch it may be somebody else by
  /// now, who then looks and sleeps again.
  static void rouse(place& at) noexcept;

  /// The two halves of `rouse`: to be roused, and to wake. Whoever does the
  /// second outside of the latch is not in the way of who wakes.
  static void announce(place& at) noexcept;
  static void wake(place& at) noexcept;

  /// Sleeps at `at` until roused after `seen` was read from its wake word.
  /// False: `limit` has passed. True also for no reason.
  static bool sleep(const place& at, std::uint32_t seen, deadline limit,
                    memory::wait_note& note) noexcept;

  /// Waits until a place may be free, if none was. `seen` was read from
  /// `room()` inside the latch. False: `limit` has passed.
  /// @pre the line has places
  [[nodiscard]] bool wait_for_room(std::uint32_t seen, deadline limit,
                                   memory::wait_note& note) noexcept;

  [[nodiscard]] std::uint32_t room() const noexcept {
    return head_ == nullptr ? 0 : head_->room.load(std::memory_order_relaxed);
  }

  /// Wakes who waits for a place: somebody has died.
  void open_up() noexcept;

  [[nodiscard]] latch& door() noexcept {
    return *door_;
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
  static bool is_before(const place& a, const place& b) noexcept {
    return a.ticket.load(std::memory_order_relaxed)
           < b.ticket.load(std::memory_order_relaxed);
  }

  static std::uint32_t dead_words();

  latch* door_;
  line_head* head_;
  std::atomic<std::uint64_t>* dead_;
  place* places_;
  std::uint32_t words_;
  std::uint32_t capacity_;
};

/// Sees that there is a line in `at`, made when somebody first stands in it, for
/// the object that `at` is a part of. Outside of the latch, for this takes memory.
/// `make` makes an object of `line_kind`. False: there is no memory.
[[nodiscard]] bool
see_to_line(memory::late_object& at,
            memory::reference (*make)(const void* context)) noexcept;

/// Sleeps for a moment where there is no line to be woken in. False: `limit` has
/// passed.
bool nap(deadline limit, memory::wait_note& note) noexcept;

/// Repairs what those have left who died while another was inside.
template <class Object>
void repair_marked(Object& of) noexcept {
  const auto repair = [&of](std::uint32_t row) { of.repair(row); };
  of.waiters().reclaim_dead(repair);
  // What an object marks itself, as it may have no line.
  if constexpr (requires { of.reclaim_dead(repair); })
    of.reclaim_dead(repair);
}

/// Being inside the latch of an object. `Object` has a `line waiters()` and a
/// `void repair(std::uint32_t row) noexcept` for who died meanwhile.
template <class Object>
class session {
public:
  session(Object& of, std::uint32_t row) noexcept
    : of_(of), waiters_(of.waiters()) {
    waiters_.door().enter(row);
  }

  session(const session&) = delete;
  session& operator=(const session&) = delete;

  ~session() {
    leave();
  }

  void leave() noexcept {
    // The line may have been made since we came in.
    while (inside_ && !waiters_.door().try_leave())
      repair_marked(of_);
    inside_ = false;
  }

private:
  Object& of_;
  line waiters_;
  bool inside_ = true;
};

/// What the `holder_died` and the `holder_left` of an object with a line do:
/// see that `repair` is done for `row`, now or by who is inside.
template <class Object>
void see_to_repair(Object& of, std::uint32_t row,
                   std::uint32_t own_row) noexcept {
  auto& door = of.waiters().door();
  constexpr bool marks = requires { of.mark_dead(row); };
  if constexpr (marks)
    of.mark_dead(row);
  else
    of.waiters().mark_dead(row);
  if (!door.enter_after_death(row, own_row))
    return;
  // It may have died inside, before there was anything to mark.
  if constexpr (marks)
    of.repair(row);
  do
    repair_marked(of);
  while (!door.try_leave_after_death());
}

} // namespace troupe::sync
