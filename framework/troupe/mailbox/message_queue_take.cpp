// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/mailbox/message_queue_lock.hpp>
#include <troupe/mailbox/reader_back_off.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/stop_of_thread.hpp>
#include <troupe/memory/shares.hpp>
#include <troupe/os/coarse_clock.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <limits>
#include <stop_token>

namespace troupe::mailbox {

using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

[[noreturn]] void refuse_overwritten() {
  throw malformed_bytes("take from a mailbox", "its memory was overwritten",
                        "look for a process that writes outside of its own "
                        "data");
}

} // namespace

void message_queue::recover_take() noexcept {
  const auto word = taken_.word.load(std::memory_order_relaxed);
  const auto& state = readers_.states[word & which_bit];
  if (const auto where = readers_.segment_note.where.load(); where != 0) {
    // Not committed: it is still the one that is read.
    if (where != state.segment)
      memory::forget(where);
    readers_.segment_note.where.store(0);
  }
  if (const auto where = readers_.message_note.where.load(); where != 0) {
    // If its share has ended already, nothing is left to end: the object had
    // one, and no other object has its id.
    if (messages_in(word) != readers_.message_note.at.load())
      memory::forget(where);
    readers_.message_note.where.store(0);
  }
  if (const auto made = readers_.ledger_note.load(); made != 0) {
    if (readers_.more_ledger.load() != made)
      memory::forget(made);
    readers_.ledger_note.store(0);
  }
  taken_.bytes.store(state.bytes, std::memory_order_release);
  if (state.segment != 0)
    segment::at(state.segment).consume_to(state.position);
  if (options_.ledger && state.taker_total != 0)
    ledger(memory::slot_id::unpacked(state.taker).index)
      .taken.store(state.taker_total);
}

/// The usual case of `take_locked`: one message, in the segment that was read
/// last and without handles. False if that is not so, and then nothing has
/// happened.
bool message_queue::take_at_hand(visit_function visit, void* context) {
  const auto word = taken_.word.load(std::memory_order_relaxed);
  auto& now = readers_.states[word & which_bit];
  const auto before = messages_in(word);
  if (now.put_seen == before) {
    // acquire: as in take_locked.
    now.put_seen = messages_in(put_.word.load(std::memory_order_acquire));
    reader_back_off::of_this_thread().looked(this, now.put_seen - before);
    if (now.put_seen == before)
      return false;
  }
  if (now.segment == 0)
    return false;
  auto& place = segment::at(now.segment);
  if (now.position == place.sealed())
    return false;
  const auto found = place.read(now.position);
  if (found.head == nullptr || found.head->kind != record_head::here
      || found.head->carried != 0)
    return false;
  TROUPE_CRASH_POINT("mailbox.take.before_visit");
  if (visit(context, {{found.body, found.head->size},
                      {},
                      memory::slot_id::unpacked(found.head->writer)})
      == visit_result::leave)
    return true;
  TROUPE_CRASH_POINT("mailbox.take.visited");
  const auto other = (word & which_bit) ^ which_bit;
  auto& next = readers_.states[other];
  next = now;
  next.position = found.behind;
  next.bytes += found.head->size;
  ledger_entry* entry = nullptr;
  if (options_.ledger) {
    const auto self = run_memory::current().self();
    entry = &own_entry(self);
    next.taker = self.packed();
    next.taker_total = entry->taken.load(std::memory_order_relaxed) + 1;
  }
  taken_.bytes.store(next.bytes, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("mailbox.take.before_commit");
  // release: as in take_locked.
  taken_.word.store(((before + 1) << count_shift) | other,
                    std::memory_order_release);
  TROUPE_CRASH_POINT("mailbox.take.committed");
  reader_back_off::of_this_thread().knows_of(now.put_seen - before - 1);
  if (entry != nullptr)
    entry->taken.store(next.taker_total, std::memory_order_release);
  place.consume_to(next.position);
  return true;
}

std::optional<take_outcome>
message_queue::take_locked(visit_function visit, void* context,
                           std::size_t most, reference& retired) {
  const auto word = taken_.word.load(std::memory_order_relaxed);
  auto& current = readers_.states[word & which_bit];
  const auto before = messages_in(word);
  if (current.put_seen - before < most) {
    // acquire: pairs with the store of the put word, and so shows the messages.
    const auto put = put_.word.load(std::memory_order_seq_cst);
    current.put_seen = messages_in(put);
    reader_back_off::of_this_thread().looked(this, current.put_seen - before);
    if (current.put_seen == before)
      return (put & closed_bit) != 0 ? std::optional{take_outcome::ended}
                                     : std::nullopt;
  }
  const auto count = std::min<std::uint64_t>(current.put_seen - before, most);
  auto state = current;
  memory::object_id drained = 0;
  memory::object_id message_id = 0;
  reference object;
  std::uint64_t taken = 0;
  for (; taken < count; ++taken) {
    if (state.segment == 0)
      state.segment = writers_.first.load();
    const auto* place = &segment::at(state.segment);
    if (state.position == place->sealed()) {
      if (taken != 0)
        break;
      drained = state.segment;
      state.segment = place->next();
      state.position = 0;
      place = &segment::at(state.segment);
    }
    const auto found = place->read(state.position);
    if (found.head == nullptr)
      refuse_overwritten();
    message shown{{found.body, found.head->size},
                  {},
                  memory::slot_id::unpacked(found.head->writer)};
    const auto id = found.object();
    if (id != 0 && taken != 0)
      break;
    if (found.head->carried != 0) {
      // Nobody else can end it: it is the mailbox's, and this has the lock.
      const auto* head
        = run_memory::current().find_object(id, object_kind::message);
      if (head == nullptr)
        refuse_overwritten();
      shown.handles = memory::shares::of(head);
    }
    if (found.head->kind == record_head::apart) {
      apart_body outside{};
      object = reference::attach(id, object_kind::message);
      shown.handles = object.shared_ids();
      if (found.head->size == sizeof outside)
        std::memcpy(&outside, found.body, sizeof outside);
      const auto body = object.behind_shares();
      if (outside.size > body.size())
        refuse_overwritten();
      shown.body = body.first(outside.size);
    }
    TROUPE_CRASH_POINT("mailbox.take.before_visit");
    try {
      if (visit(context, shown) == visit_result::leave)
        break;
    } catch (...) {
      if (taken == 0)
        throw;
      break;
    }
    TROUPE_CRASH_POINT("mailbox.take.visited");
    state.position = found.behind;
    state.bytes += shown.body.size();
    if (id != 0) {
      ++taken;
      message_id = id;
      break;
    }
  }
  if (taken == 0)
    return take_outcome::done;
  const auto self = run_memory::current().self();
  if (options_.ledger) {
    state.taker = self.packed();
    // Nobody else writes it, and we do so under the lock.
    state.taker_total = own_entry(self).taken.load(std::memory_order_relaxed)
                        + taken;
  }
  if (drained != 0) {
    try {
      // Held while it is given up, so that a kill leaves it to the reclaimer.
      retired = reference::attach(drained, object_kind::segment);
    } catch (const error&) {
      // No room in the table of handles: it works without.
    }
    readers_.segment_note.where.store(drained);
  }
  if (message_id != 0) {
    readers_.message_note.at.store(before);
    readers_.message_note.where.store(message_id);
  }
  const auto other = (word & which_bit) ^ which_bit;
  readers_.states[other] = state;
  // Before the commit, whose order a writer that waits relies on.
  taken_.bytes.store(state.bytes, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("mailbox.take.before_commit");
  // release: as the put word's.
  taken_.word.store(((before + taken) << count_shift) | other,
                    std::memory_order_release);
  TROUPE_CRASH_POINT("mailbox.take.committed");
  reader_back_off::of_this_thread().knows_of(state.put_seen - before - taken);
  if (options_.ledger)
    ledger(self.index)
      .taken.store(state.taker_total, std::memory_order_release);
  segment::at(state.segment).consume_to(state.position);
  if (drained != 0) {
    memory::forget(drained);
    TROUPE_CRASH_POINT("mailbox.take.drained");
    readers_.segment_note.where.store(0);
  }
  if (message_id != 0) {
    memory::forget(message_id);
    TROUPE_CRASH_POINT("mailbox.take.given_up");
    readers_.message_note.where.store(0);
    retired = retired ? retired : object;
  }
  return take_outcome::done;
}

take_outcome message_queue::take_with(visit_function visit, void* context,
                                      std::size_t most, deadline limit) {
  // Who only looks does not wait.
  if (limit.when() != deadline::now().when())
    reader_back_off::of_this_thread().before_take(this);
  for (;;) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t bytes = 0;
    // Given back behind the lock: a hole of a megabyte takes 200 µs.
    reference retired;
    std::optional<take_outcome> outcome;
    {
      TROUPE_CRASH_POINT("mailbox.take.unlocked");
      const message_queue_lock guard{readers_.lock, [this] { recover_take(); },
                                     "take from a mailbox"};
      TROUPE_CRASH_POINT("mailbox.take.locked");
      if (options_.ledger)
        make_entry(run_memory::current().self().index);
      before = messages_in(taken_.word.load(std::memory_order_relaxed));
      bytes = taken_.bytes.load(std::memory_order_relaxed);
      if (most == 1 && take_at_hand(visit, context))
        outcome = take_outcome::done;
      else
        outcome = take_locked(visit, context, most, retired);
      after = messages_in(taken_.word.load(std::memory_order_relaxed));
      bytes = taken_.bytes.load(std::memory_order_relaxed) - bytes;
    }
    TROUPE_CRASH_POINT("mailbox.take.unannounced");
    if (after != before)
      announce_take(static_cast<std::size_t>(after - before),
                    bytes / (after - before));
    if (outcome)
      return *outcome;
    if (limit.passed() || !wait_readable(limit))
      return take_outcome::empty;
  }
}

void message_queue::announce_take(std::size_t count,
                                  std::uint64_t each) noexcept {
  if (options_.messages != 0)
    departures_.room.ring_if_occupied(
      static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  else if (options_.window != 0 && departures_.room.occupied()) {
    // A writer that is woken for each message is woken too often; but it must
    // be woken once half of the window is free.
    if (unread_bytes() <= window_for(each) / 2 || empty())
      departures_.room.ring(std::numeric_limits<int>::max());
  }
  if (arrivals_.watchers.any() && !readable())
    arrivals_.watchers.ring(watcher_bits());
}

bool message_queue::wait_readable(deadline limit) {
  const auto* const stop = stop_of_thread::current();
  if (stop == nullptr) {
    const bool in_time = arrivals_.room.wait([this] { return readable(); },
                                             limit, memory::wait_kind::item);
    // relaxed: nothing hangs on it.
    arrivals_.found_empty.store(os::coarse_now(), std::memory_order_relaxed);
    return in_time;
  }
  // Wakes readers in vain who have nothing to do with it; they look and sleep.
  const std::stop_callback wake{
    *stop, [this] { arrivals_.room.ring(std::numeric_limits<int>::max()); }};
  const bool in_time
    = arrivals_.room.wait([&] { return readable() || stop->stop_requested(); },
                          limit, memory::wait_kind::item);
  if (in_time && !readable())
    throw cancelled("wait for an item",
                    "what this thread reads is not wanted any more");
  return in_time;
}

} // namespace troupe::mailbox
