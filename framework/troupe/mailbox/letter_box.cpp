// SPDX-License-Identifier: BSL-1.0

// One file, and a long one: who puts, who takes and who repairs after a death
// keep one another's rules, and are read together.

#include <troupe/mailbox/letter_box.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/burial.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace troupe::mailbox {

namespace {

using memory::object_kind;
using memory::reference;
using memory::run_memory;

std::uint64_t letters_in(std::uint64_t word) noexcept {
  return word >> 2;
}

void dispose_box(std::byte* payload, std::uint64_t) noexcept {
  reinterpret_cast<letter_box*>(payload)->dispose();
}

void holder_of_box_died(std::byte* payload, std::uint64_t,
                        std::uint32_t slot) noexcept {
  reinterpret_cast<letter_box*>(payload)->user_died(slot);
}

const bool registered = memory::register_kind(
  object_kind::queue,
  {.dispose = dispose_box, .holder_died = holder_of_box_died});

/// What stands in a ring for a letter that lies apart.
struct apart_body {
  memory::offset where;
  std::uint64_t size;
};

/// A lock for the time of a scope; mends what a dead owner left.
template <class Recover>
class owned {
public:
  owned(os::robust_mutex& lock, Recover recover, const char* attempted)
    : lock_(lock) {
    switch (lock_.lock()) {
      case os::lock_result::clean: break;
      case os::lock_result::owner_died: recover(); break;
      case os::lock_result::would_deadlock:
        throw would_deadlock(
          attempted, "this thread is inside of the same operation",
          "do not use a mailbox in the code that decodes its "
          "items");
      case os::lock_result::not_locked:
        throw invalid_state(attempted, "its lock was overwritten");
    }
  }
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() {
    lock_.unlock();
  }

private:
  os::robust_mutex& lock_;
};

/// Ends the mailbox's share of all that an unread record carries.
void give_up(const segment::found& record) noexcept {
  auto* words = const_cast<record_head*>(record.head) + 1;
  auto* handles = reinterpret_cast<memory::offset*>(words);
  for (std::uint32_t i = 0; i < record.head->handles; ++i)
    memory::forget_at(handles[i]);
  if (record.head->kind == record_head::apart) {
    apart_body outside{};
    std::memcpy(&outside, record.body, sizeof outside);
    std::memset(const_cast<std::byte*>(record.body), 0, sizeof outside);
    memory::forget(outside.where);
  }
}

/// A handle's message exists twice for a moment: one share for the decoder,
/// which ends it, and one for the mailbox until the take is committed.
void share_again(std::span<const memory::offset> handles) noexcept {
  for (const auto where : handles)
    if (memory::may_be_object(where))
      memory::head_at(where)->in_flight.fetch_add(1);
}

} // namespace

// Layout ---------------------------------------------------------------------

std::uint64_t letter_box::size_for(const box_options& options) {
  const std::uint64_t slots = run_memory::current().header().slots;
  return sizeof(letter_box) + slots / 8
         + (options.ledger ? slots * sizeof(ledger_entry) : 0);
}

reference letter_box::create(const box_options& options) {
  static_cast<void>(registered);
  static_assert(sizeof(letter_box) == 1280);
  static_assert(offsetof(letter_box, put_) == 384);
  static_assert(offsetof(letter_box, readers_) == 512);
  static_assert(offsetof(letter_box, taken_) == 768);
  auto made = reference::create(object_kind::queue, size_for(options));
  auto* box = made.as<letter_box>();
  box->options_ = options;
  box->writers_.lock.initialise();
  box->readers_.lock.initialise();
  return made;
}

letter_box::ledger_entry& letter_box::ledger(std::uint32_t slot) noexcept {
  const auto slots = run_memory::current().header().slots;
  return reinterpret_cast<ledger_entry*>(watcher_bits() + slots / 64)[slot];
}

// Putting ----------------------------------------------------------------------

void letter_box::recover_put() noexcept {
  const auto word = put_.word.load(std::memory_order_relaxed);
  const auto& state = writers_.states[word & which_bit];
  if (const auto where = writers_.segment_note.where.load(); where != 0) {
    if (letters_in(word) == writers_.segment_note.at.load()) {
      if (state.segment != 0)
        segment::at(state.segment).unseal();
      memory::forget(where);
    }
    writers_.segment_note.where.store(0);
  }
  if (const auto where = writers_.letter_note.where.load(); where != 0) {
    if (letters_in(word) == writers_.letter_note.at.load())
      memory::forget(where);
    writers_.letter_note.where.store(0);
  }
}

std::uint64_t letter_box::window_for(std::uint64_t bytes) const noexcept {
  return std::clamp(bytes * 4, options_.window, options_.window * 16);
}

bool letter_box::has_room(std::uint64_t bytes) const noexcept {
  const auto taken = letters_in(taken_.word.load(std::memory_order_seq_cst));
  const auto word = put_.word.load(std::memory_order_seq_cst);
  if (options_.letters != 0 && letters_in(word) - taken >= options_.letters)
    return false;
  // What a killed process added to the bytes ends when the last letter is out.
  return options_.window == 0 || letters_in(word) == taken
         || unread_bytes() <= window_for(bytes);
}

std::uint64_t letter_box::unread_bytes() const noexcept {
  const auto taken = taken_.bytes.load(std::memory_order_seq_cst);
  const auto put = put_.bytes.load(std::memory_order_seq_cst);
  return put - std::min(put, taken);
}

std::size_t letter_box::put_locked(std::span<const draft> letters,
                                   std::span<const reference> apart,
                                   put_outcome& outcome) {
  auto word = put_.word.load(std::memory_order_relaxed);
  outcome = put_outcome::closed;
  if ((word & closed_bit) != 0)
    return 0;
  outcome = put_outcome::no_reader;
  if (!has_readers())
    return 0;
  const auto self = run_memory::current().self().packed();
  auto state = writers_.states[word & which_bit];
  std::size_t written = 0;
  std::size_t committed = 0;
  const auto commit = [&] {
    const auto other = (word & which_bit) ^ which_bit;
    writers_.states[other] = state;
    word = ((letters_in(word) + (written - committed)) << count_shift) | other;
    committed = written;
    put_.bytes.store(state.bytes, std::memory_order_relaxed);
    TROUPE_CRASH_POINT("mailbox.put.before_commit");
    // seq_cst: a release that pairs with the acquire of readers, and before
    // the look at who waits.
    put_.word.store(word, std::memory_order_seq_cst);
    TROUPE_CRASH_POINT("mailbox.put.committed");
  };
  for (; written < letters.size(); ++written) {
    const auto& content = letters[written];
    const auto count = letters_in(word) + (written - committed);
    if (options_.letters != 0 && count - state.taken_seen >= options_.letters) {
      state.taken_seen
        = letters_in(taken_.word.load(std::memory_order_acquire));
      if (count - state.taken_seen >= options_.letters)
        break;
    }
    if (options_.window != 0) {
      // What readers write is looked at only where it matters.
      const auto too_much = [&] {
        return state.bytes - std::min(state.taken_bytes_seen, state.bytes)
               > window_for(content.body.size());
      };
      if (too_much()) {
        state.taken_bytes_seen = taken_.bytes.load(std::memory_order_acquire);
        if (too_much()
            && count != letters_in(taken_.word.load(std::memory_order_acquire)))
          break;
      }
    }
    auto inside = content;
    apart_body outside{};
    const auto* object = apart.empty() ? nullptr : &apart[written];
    if (object != nullptr && *object) {
      outside = {object->where(), content.body.size()};
      inside.body = std::as_bytes(std::span{&outside, 1});
      if (written != committed)
        commit();
      writers_.letter_note.at.store(letters_in(word));
      writers_.letter_note.where.store(outside.where);
      static_cast<void>(memory::send(*object));
      TROUPE_CRASH_POINT("mailbox.put.apart");
    }
    const auto kind = outside.where != 0 ? record_head::apart
                                         : record_head::here;
    const auto need = segment::room_for(inside.handles.size(),
                                        inside.body.size());
    auto* last = state.segment != 0 ? &segment::at(state.segment) : nullptr;
    const auto fits = [&] {
      return last != nullptr && need <= last->capacity()
             && last->fits(state.position, need, state.consumed_seen);
    };
    bool room = fits();
    if (!room && last != nullptr) {
      state.consumed_seen = last->consumed();
      room = fits();
    }
    state.bytes += content.body.size();
    if (room) {
      state.position = last->write(state.position, inside, kind, self);
      if (kind == record_head::here)
        continue;
    } else {
      // A new segment takes over together with its first letter.
      if (written != committed) {
        state.bytes -= content.body.size();
        commit();
        state.bytes += content.body.size();
      }
      reference added;
      try {
        added = segment::make(last != nullptr ? last->capacity() * 2 : 0, need);
      } catch (...) {
        if (writers_.letter_note.where.load() != 0) {
          memory::forget(outside.where);
          writers_.letter_note.where.store(0);
        }
        if (written != 0)
          break; // the next call meets it again, with nothing done before
        throw;
      }
      TROUPE_CRASH_POINT("mailbox.grow.created");
      writers_.segment_note.at.store(letters_in(word));
      writers_.segment_note.where.store(added.where());
      static_cast<void>(memory::send(added));
      TROUPE_CRASH_POINT("mailbox.grow.noted");
      auto& next = *added.as<segment>();
      const auto behind = next.write(0, inside, kind, self);
      if (last != nullptr)
        last->seal(state.position, added.where());
      else
        writers_.first.store(added.where());
      TROUPE_CRASH_POINT("mailbox.grow.linked");
      state.segment = added.where();
      state.position = behind;
      state.consumed_seen = 0;
    }
    ++written;
    commit();
    --written;
    TROUPE_CRASH_POINT("mailbox.grow.committed");
    writers_.segment_note.where.store(0);
    writers_.letter_note.where.store(0);
  }
  if (written != committed)
    commit();
  outcome = written == letters.size() ? put_outcome::done : put_outcome::full;
  return written;
}

put_outcome letter_box::put(std::span<const draft> letters, std::size_t& done,
                            deadline limit) {
  done = 0;
  std::vector<reference> apart;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const auto& each = letters[i];
    if (each.handles.size() > std::numeric_limits<std::uint16_t>::max())
      throw limit_reached("put a letter into a mailbox",
                          "it carries " + std::to_string(each.handles.size())
                            + " handles and may carry 65535",
                          "send the handles in several letters");
    const auto need = segment::room_for(each.handles.size(), each.body.size());
    if (need <= segment::largest_record)
      continue;
    apart.resize(letters.size());
    apart[i] = reference::create(object_kind::letter, each.body.size());
    // One call for all pages, and not a fault for each.
    os::populate(run_memory::current().at(apart[i].where()), each.body.size());
    std::memcpy(apart[i].data(), each.body.data(), each.body.size());
  }
  for (;;) {
    put_outcome outcome{};
    std::size_t now = 0;
    {
      TROUPE_CRASH_POINT("mailbox.put.unlocked");
      const owned guard{writers_.lock, [this] { recover_put(); },
                        "put into a mailbox"};
      TROUPE_CRASH_POINT("mailbox.put.locked");
      now = put_locked(letters.subspan(done),
                       apart.empty() ? std::span<const reference>{}
                                     : std::span{apart}.subspan(done),
                       outcome);
    }
    TROUPE_CRASH_POINT("mailbox.put.unannounced");
    done += now;
    if (now != 0)
      announce_put(now);
    if (outcome != put_outcome::full)
      return outcome;
    if (limit.passed() || !wait_writable(letters[done].body.size(), limit))
      return put_outcome::full;
  }
}

void letter_box::announce_put(std::size_t count) noexcept {
  spinner::of_this_thread().expect_answer(true);
  arrivals_.room.ring_if_occupied(
    static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  if (arrivals_.watchers.any())
    arrivals_.watchers.ring(watcher_bits());
}

bool letter_box::wait_writable(std::uint64_t bytes, deadline limit) {
  spinner::of_this_thread().expect_answer(false);
  return departures_.room.wait(
    [&] { return has_room(bytes) || closed() || !has_readers(); }, limit);
}

// Taking -------------------------------------------------------------------------

void letter_box::recover_take() noexcept {
  const auto word = taken_.word.load(std::memory_order_relaxed);
  const auto& state = readers_.states[word & which_bit];
  if (const auto where = readers_.segment_note.where.load(); where != 0) {
    if (letters_in(word) != readers_.segment_note.at.load())
      memory::forget(where);
    readers_.segment_note.where.store(0);
  }
  if (const auto where = readers_.letter_note.where.load(); where != 0) {
    if (letters_in(word) != readers_.letter_note.at.load())
      memory::forget(where);
    readers_.letter_note.where.store(0);
  }
  if (readers_.handles_note.where.load() != 0) {
    if (letters_in(word) != readers_.handles_note.at.load())
      end_shares_of_taken();
    readers_.handles_note.where.store(0);
  }
  taken_.bytes.store(state.bytes, std::memory_order_release);
  if (state.segment != 0)
    segment::at(state.segment).consume_to(state.position);
  if (options_.ledger && state.taker_total != 0)
    ledger(memory::slot_id::unpacked(state.taker).index)
      .taken.store(state.taker_total);
}

void letter_box::end_shares_of_taken() noexcept {
  // The state before the commit stands until the next one.
  const auto word = taken_.word.load(std::memory_order_relaxed);
  const auto& now = readers_.states[word & which_bit];
  const auto& before = readers_.states[(word & which_bit) ^ which_bit];
  auto position = before.segment == now.segment ? before.position : 0;
  for (const auto& place = segment::at(now.segment);
       position != now.position;) {
    const auto found = place.read(position);
    if (found.head == nullptr)
      break;
    auto* handles = reinterpret_cast<memory::offset*>(
      const_cast<record_head*>(found.head) + 1);
    // Should this be killed, it is done again for those that still stand.
    for (std::uint32_t i = 0; i < found.head->handles; ++i)
      memory::forget_at(handles[i]);
    position = found.behind;
  }
  readers_.handles_note.where.store(0);
}

std::optional<take_outcome>
letter_box::take_locked(visit_function visit, void* context, std::size_t most,
                        bool lend, reference& retired) {
  const auto word = taken_.word.load(std::memory_order_relaxed);
  auto& current = readers_.states[word & which_bit];
  const auto before = letters_in(word);
  if (current.put_seen - before < most) {
    // acquire: pairs with the store of the put word, and so shows the letters.
    const auto put = put_.word.load(std::memory_order_seq_cst);
    current.put_seen = letters_in(put);
    if (current.put_seen == before)
      return (put & closed_bit) != 0 ? std::optional{take_outcome::ended}
                                     : std::nullopt;
  }
  const auto count = std::min<std::uint64_t>(current.put_seen - before, most);
  auto state = current;
  memory::offset drained = 0;
  reference apart;
  bool with_handles = false;
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
      throw malformed_bytes("take from a mailbox", "its memory was overwritten",
                            "look for a process that writes outside of its "
                            "own data");
    letter shown{{found.body, found.head->size},
                 {reinterpret_cast<const memory::offset*>(found.head + 1),
                  found.head->handles},
                 memory::slot_id::unpacked(found.head->writer)};
    if (found.head->kind == record_head::apart) {
      if (taken != 0)
        break;
      apart_body outside{};
      if (found.head->size == sizeof outside)
        std::memcpy(&outside, found.body, sizeof outside);
      apart = reference::attach(outside.where, object_kind::letter);
      shown.body = apart.bytes();
    }
    TROUPE_CRASH_POINT("mailbox.take.before_visit");
    if (!lend)
      share_again(shown.handles);
    with_handles |= !shown.handles.empty();
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
    if (apart) {
      ++taken;
      break;
    }
  }
  if (taken == 0)
    return take_outcome::done;
  const auto self = run_memory::current().self();
  if (options_.ledger) {
    state.taker = self.packed();
    // Nobody else writes it, and we do so under the lock.
    state.taker_total = ledger(self.index).taken.load(std::memory_order_relaxed)
                        + taken;
  }
  if (drained != 0) {
    try {
      // Held while it is given up, so that a kill leaves it to the undertaker.
      retired = reference::attach(drained, object_kind::segment);
    } catch (const error&) {
      // No room in the table of handles: it works without.
    }
    readers_.segment_note.at.store(before);
    readers_.segment_note.where.store(drained);
  }
  if (apart) {
    readers_.letter_note.at.store(before);
    readers_.letter_note.where.store(apart.where());
  }
  if (with_handles) {
    readers_.handles_note.at.store(before);
    readers_.handles_note.where.store(state.segment);
  }
  const auto other = (word & which_bit) ^ which_bit;
  readers_.states[other] = state;
  // Before the commit, whose order a writer that waits relies on.
  taken_.bytes.store(state.bytes, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("mailbox.take.before_commit");
  taken_.word.store(((before + taken) << count_shift) | other,
                    std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("mailbox.take.committed");
  if (options_.ledger)
    ledger(self.index)
      .taken.store(state.taker_total, std::memory_order_release);
  if (with_handles)
    end_shares_of_taken();
  segment::at(state.segment).consume_to(state.position);
  if (drained != 0) {
    memory::forget(drained);
    TROUPE_CRASH_POINT("mailbox.take.drained");
    readers_.segment_note.where.store(0);
  }
  if (apart) {
    memory::forget(apart.where());
    readers_.letter_note.where.store(0);
    retired = retired ? retired : apart;
  }
  return take_outcome::done;
}

take_outcome letter_box::take_with(visit_function visit, void* context,
                                   std::size_t most, deadline limit,
                                   bool lend) {
  for (;;) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t bytes = 0;
    // Given back behind the lock: a hole of a megabyte takes 200 µs.
    reference retired;
    std::optional<take_outcome> outcome;
    {
      TROUPE_CRASH_POINT("mailbox.take.unlocked");
      const owned guard{readers_.lock, [this] { recover_take(); },
                        "take from a mailbox"};
      TROUPE_CRASH_POINT("mailbox.take.locked");
      before = letters_in(taken_.word.load(std::memory_order_relaxed));
      bytes = taken_.bytes.load(std::memory_order_relaxed);
      outcome = take_locked(visit, context, most, lend, retired);
      after = letters_in(taken_.word.load(std::memory_order_relaxed));
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

void letter_box::announce_take(std::size_t count, std::uint64_t each) noexcept {
  if (options_.letters != 0)
    departures_.room.ring_if_occupied(
      static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  else if (options_.window != 0 && departures_.room.occupied()) {
    // A writer that is woken for each letter is woken too often; but it must
    // be woken once half of the window is free.
    if (unread_bytes() <= window_for(each) / 2 || empty())
      departures_.room.ring(std::numeric_limits<int>::max());
  }
  if (arrivals_.watchers.any() && !readable())
    arrivals_.watchers.ring(watcher_bits());
}

bool letter_box::wait_readable(deadline limit) {
  return arrivals_.room.wait([this] { return readable(); }, limit);
}

// The rest ---------------------------------------------------------------------

std::uint64_t letter_box::size() const noexcept {
  // In this order the difference is never negative.
  const auto taken = letters_in(taken_.word.load(std::memory_order_seq_cst));
  return letters_in(put_.word.load(std::memory_order_seq_cst)) - taken;
}

bool letter_box::full() const noexcept {
  return !has_room(0);
}

bool letter_box::readable() const noexcept {
  const auto taken = letters_in(taken_.word.load(std::memory_order_seq_cst));
  const auto word = put_.word.load(std::memory_order_seq_cst);
  return letters_in(word) != taken || (word & closed_bit) != 0;
}

void letter_box::close() {
  {
    const owned guard{writers_.lock, [this] { recover_put(); },
                      "close a mailbox"};
    TROUPE_CRASH_POINT("mailbox.close.locked");
    put_.word.store(put_.word.load(std::memory_order_relaxed) | closed_bit,
                    std::memory_order_seq_cst);
    TROUPE_CRASH_POINT("mailbox.close.unannounced");
  }
  ring_everybody();
}

void letter_box::writers_gone() noexcept {
  put_.word.fetch_or(closed_bit, std::memory_order_seq_cst);
  ring_everybody();
}

void letter_box::readers_gone() noexcept {
  arrivals_.no_readers.store(1, std::memory_order_seq_cst);
  ring_everybody();
}

void letter_box::ring_everybody() noexcept {
  constexpr auto all = std::numeric_limits<int>::max();
  arrivals_.room.ring(all);
  departures_.room.ring(all);
  finishing_.room.ring(all);
  if (arrivals_.watchers.any())
    arrivals_.watchers.ring(watcher_bits());
}

bool letter_box::finish() noexcept {
  auto finished = finishing_.finished.load(std::memory_order_seq_cst);
  do {
    if (finished >= letters_in(taken_.word.load(std::memory_order_seq_cst)))
      return false;
  } while (!finishing_.finished.compare_exchange_weak(
    finished, finished + 1, std::memory_order_seq_cst));
  ledger(run_memory::current().self().index).finished.fetch_add(1);
  if (unfinished() == 0)
    finishing_.room.ring_if_occupied(std::numeric_limits<int>::max());
  return true;
}

std::uint64_t letter_box::unfinished() const noexcept {
  const auto finished = finishing_.finished.load(std::memory_order_seq_cst);
  const auto put = letters_in(put_.word.load(std::memory_order_seq_cst));
  return put - std::min(finished, put);
}

letter_box::finish_outcome letter_box::wait_finished(const reference& self,
                                                     deadline limit,
                                                     std::uint64_t& lost) {
  // A handle that is dropped rings nobody, so that is looked for now and then.
  constexpr auto look_again = std::chrono::milliseconds{100};
  auto& memory = run_memory::current();
  auto* object = memory.find_object(self.where(), object_kind::queue);
  for (;;) {
    const auto step = std::min(limit, deadline::after(look_again));
    if (finishing_.room.wait([this] { return unfinished() == 0; }, step))
      return finish_outcome::all_finished;
    std::uint64_t abandoned = 0;
    std::uint64_t finished_for_others = 0;
    const auto used = memory.header().slots_high.load();
    for (std::uint32_t slot = 0; slot < used; ++slot) {
      const bool holds
        = (object->holders()[slot / 64].load() >> (slot % 64) & 1) != 0;
      const auto finished = ledger(slot).finished.load();
      const auto taken = ledger(slot).taken.load();
      if (finished > taken)
        finished_for_others += finished - taken;
      else if (!holds)
        abandoned += taken - finished;
    }
    lost = abandoned - std::min(abandoned, finished_for_others);
    if (lost != 0)
      return finish_outcome::abandoned;
    if (limit.passed())
      return finish_outcome::timed_out;
  }
}

void letter_box::add_watcher(std::uint32_t slot) noexcept {
  arrivals_.watchers.add(watcher_bits(), slot);
}

void letter_box::remove_watcher(std::uint32_t slot) noexcept {
  arrivals_.watchers.remove(watcher_bits(), slot);
}

void letter_box::user_died(std::uint32_t slot) noexcept {
  remove_watcher(slot);
  arrivals_.room.evacuate();
  departures_.room.evacuate();
  finishing_.room.evacuate();
  if (arrivals_.watchers.any())
    arrivals_.watchers.ring(watcher_bits());
}

void letter_box::dispose() noexcept {
  // Nobody is left who could hold a lock. Should this be killed, it is called
  // again: what is about to be given up is struck out first, and each step is
  // committed as a take is.
  recover_put();
  recover_take();
  for (;;) {
    const auto word = taken_.word.load(std::memory_order_relaxed);
    auto taken = letters_in(word);
    auto state = readers_.states[word & which_bit];
    if (state.segment == 0)
      state.segment = writers_.first.exchange(0);
    if (state.segment == 0)
      return;
    const auto& place = segment::at(state.segment);
    memory::offset drained = 0;
    if (taken != letters_in(put_.word.load(std::memory_order_acquire))
        && state.position != place.sealed()) {
      const auto found = place.read(state.position);
      if (found.head == nullptr)
        return; // Nonsense ends it here; the rest goes with the run.
      give_up(found);
      state.position = found.behind;
      ++taken;
    } else {
      drained = state.segment;
      state.segment = place.next();
      state.position = 0;
      writers_.first.store(0);
    }
    const auto other = (word & which_bit) ^ which_bit;
    readers_.states[other] = state;
    taken_.word.store((taken << count_shift) | other);
    memory::forget(drained);
  }
}

} // namespace troupe::mailbox
