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

/// What one `take_locked` has read and not committed yet. A message is taken by
/// the commit; what is read and not committed stays where it is.
class message_queue::take_transaction {
public:
  explicit take_transaction(message_queue& of) noexcept
    : queue_(of),
      word_(of.taken_.word.load(std::memory_order_relaxed)),
      before_(messages_in(word_)),
      state_(of.readers_.states[word_ & which_bit]) {
  }

  /// Returns how many messages may be taken, at most `most`. Sets `closed` if
  /// there is none, and no more will come.
  [[nodiscard]] std::uint64_t available(std::uint64_t most,
                                        bool& closed) noexcept {
    if (state_.put_seen - before_ < most) {
      // seq_cst: it pairs with the release of the put word, as an acquire
      // would; and who has said that it waits, and takes instead of looking,
      // does not miss a message.
      const auto put = queue_.put_.word.load(std::memory_order_seq_cst);
      state_.put_seen = messages_in(put);
      queue_.readers_.states[word_ & which_bit].put_seen = state_.put_seen;
      reader_back_off::of_this_thread().looked(&queue_,
                                               state_.put_seen - before_);
      closed = state_.put_seen == before_ && (put & closed_bit) != 0;
    }
    return std::min(state_.put_seen - before_, most);
  }

  [[nodiscard]] std::uint64_t taken() const noexcept {
    return taken_;
  }

  /// Finds the next message. Empty if it must be taken by a commit of its own:
  /// from the next segment, or with an object. Throws `malformed_bytes`.
  [[nodiscard]] std::optional<segment::found> next() {
    if (state_.segment == 0)
      state_.segment = queue_.writers_.first.load();
    const auto* place = &segment::at(state_.segment);
    if (state_.position == place->sealed()) {
      if (taken_ != 0)
        return std::nullopt;
      drained_ = state_.segment;
      state_.segment = place->next();
      state_.position = 0;
      place = &segment::at(state_.segment);
    }
    const auto found = place->read(state_.position);
    if (found.head == nullptr)
      refuse_overwritten();
    if (taken_ != 0 && found.object() != 0)
      return std::nullopt;
    return found;
  }

  /// Returns what a visitor is shown of a message. Throws `malformed_bytes`,
  /// `stale_handle`, `limit_reached`.
  [[nodiscard]] message show(const segment::found& of) {
    message shown{{of.body, of.head->size},
                  {},
                  memory::slot_id::unpacked(of.head->writer)};
    if (of.head->carried != 0) {
      // Nobody else can end it: it is the mailbox's, and this has the lock.
      const auto* head
        = run_memory::current().find_object(of.object(), object_kind::message);
      if (head == nullptr)
        refuse_overwritten();
      shown.handles = memory::shares::of(head);
    }
    if (of.head->kind == record_head::apart) {
      apart_body outside{};
      object_ = reference::attach(of.object(), object_kind::message);
      shown.handles = object_.shared_ids();
      if (of.head->size == sizeof outside)
        std::memcpy(&outside, of.body, sizeof outside);
      const auto body = object_.behind_shares();
      if (outside.size > body.size())
        refuse_overwritten();
      shown.body = body.first(outside.size);
    }
    return shown;
  }

  /// The visitor has taken it. False: it had an object, and is the last.
  [[nodiscard]] bool count(const segment::found& what,
                           std::uint64_t bytes) noexcept {
    ++taken_;
    state_.position = what.behind;
    state_.bytes += bytes;
    message_id_ = what.object();
    return message_id_ == 0;
  }

  /// Takes what was counted, by one store. `retired` is what the caller drops
  /// when it has unlocked, so that giving memory back holds up nobody.
  void commit(reference& retired) {
    const auto self = run_memory::current().self();
    if (queue_.options_.ledger) {
      state_.taker = self.packed();
      // Nobody else writes it, and we do so under the lock.
      state_.taker_total
        = queue_.own_entry(self).taken.load(std::memory_order_relaxed) + taken_;
    }
    note_what_goes(retired);
    const auto other = (word_ & which_bit) ^ which_bit;
    queue_.readers_.states[other] = state_;
    // Before the commit, whose order a writer that waits relies on.
    queue_.taken_.bytes.store(state_.bytes, std::memory_order_relaxed);
    TROUPE_CRASH_POINT("mailbox.take.before_commit");
    // release: as the put word's.
    queue_.taken_.word.store(((before_ + taken_) << count_shift) | other,
                             std::memory_order_release);
    TROUPE_CRASH_POINT("mailbox.take.committed");
    // A clock costs a quarter of a take, so `take_at_hand` does not ask it.
    // relaxed: nothing hangs on it.
    queue_.taken_.noted.store(os::coarse_now(), std::memory_order_relaxed);
    reader_back_off::of_this_thread().knows_of(state_.put_seen - before_
                                               - taken_);
    if (queue_.options_.ledger)
      queue_.ledger(self.index)
        .taken.store(state_.taker_total, std::memory_order_release);
    segment::at(state_.segment).consume_to(state_.position);
    give_up_what_goes(retired);
  }

private:
  /// So that a kill leaves it to the reclaimer, or to whoever recovers.
  void note_what_goes(reference& retired) {
    auto& readers = queue_.readers_;
    if (drained_ != 0) {
      try {
        // Held while it is given up.
        retired = reference::attach(drained_, object_kind::segment);
      } catch (const error&) {
        // No room in the table of handles: it works without.
      }
      readers.segment_note.where.store(drained_);
    }
    if (message_id_ != 0) {
      readers.message_note.at.store(before_);
      readers.message_note.where.store(message_id_);
    }
  }

  void give_up_what_goes(reference& retired) noexcept {
    auto& readers = queue_.readers_;
    if (drained_ != 0) {
      memory::forget(drained_);
      TROUPE_CRASH_POINT("mailbox.take.drained");
      readers.segment_note.where.store(0);
    }
    if (message_id_ != 0) {
      memory::forget(message_id_);
      TROUPE_CRASH_POINT("mailbox.take.given_up");
      readers.message_note.where.store(0);
      if (!retired)
        retired = std::move(object_);
    }
  }

  message_queue& queue_;
  std::uint64_t word_;
  std::uint64_t before_;
  take_state state_;
  std::uint64_t taken_ = 0;
  /// The segment that was read to its end, 0 for none.
  memory::object_id drained_ = 0;
  /// The object of the message that was counted last, 0 for none.
  memory::object_id message_id_ = 0;
  /// Held if the body lies in it, as long as the visitor may look.
  reference object_;
};

std::optional<take_outcome>
message_queue::take_locked(visit_function visit, void* context,
                           std::size_t most, reference& retired) {
  take_transaction take{*this};
  bool closed = false;
  const auto count = take.available(most, closed);
  if (count == 0)
    return closed ? std::optional{take_outcome::ended} : std::nullopt;
  while (take.taken() < count) {
    const auto found = take.next();
    if (!found)
      break;
    const auto shown = take.show(*found);
    TROUPE_CRASH_POINT("mailbox.take.before_visit");
    try {
      if (visit(context, shown) == visit_result::leave)
        break;
    } catch (...) {
      if (take.taken() == 0)
        throw;
      break;
    }
    TROUPE_CRASH_POINT("mailbox.take.visited");
    if (!take.count(*found, shown.body.size()))
      break;
  }
  if (take.taken() != 0)
    take.commit(retired);
  return take_outcome::done;
}

take_outcome message_queue::take_with(visit_function visit, void* context,
                                      std::size_t most, deadline limit) {
  // Who only looks does not wait.
  if (limit.when() != deadline::now().when())
    reader_back_off::of_this_thread().before_take(this);
  for (bool waited = false;; waited = true) {
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
      // As in take_transaction::commit. One that has waited has asked the
      // clock.
      if (waited && after != before)
        taken_.noted.store(arrivals_.found_empty.load(
                             std::memory_order_relaxed),
                           std::memory_order_relaxed);
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
    departures_.room.wake_if_occupied(
      static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  else if (options_.window != 0 && departures_.room.occupied()) {
    // A writer that is woken for each message is woken too often; but it must
    // be woken once half of the window is free.
    if (unread_bytes() <= window_for(each) / 2 || empty())
      departures_.room.wake(std::numeric_limits<int>::max());
  }
  if (arrivals_.watchers.any() && !readable())
    arrivals_.watchers.notify(watcher_bits());
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
    *stop, [this] { arrivals_.room.wake(std::numeric_limits<int>::max()); }};
  const bool in_time
    = arrivals_.room.wait([&] { return readable() || stop->stop_requested(); },
                          limit, memory::wait_kind::item);
  if (in_time && !readable())
    throw cancelled("wait for an item",
                    "what this thread reads is not wanted any more");
  return in_time;
}

} // namespace troupe::mailbox
