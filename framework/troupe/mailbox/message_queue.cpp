// SPDX-License-Identifier: BSL-1.0

// With message_queue_put.cpp and message_queue_take.cpp: who puts, who takes
// and who repairs after a death keep one another's rules, and are read
// together.

#include <troupe/mailbox/message_queue.hpp>

#include <troupe/mailbox/message_queue_lock.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <limits>

namespace troupe::mailbox {

using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

void dispose_box(std::byte* payload, std::uint64_t) noexcept {
  reinterpret_cast<message_queue*>(payload)->dispose();
}

void holder_of_box_died(std::byte* payload, std::uint64_t,
                        std::uint32_t slot) noexcept {
  reinterpret_cast<message_queue*>(payload)->user_died(slot);
}

constexpr std::uint64_t low_half = 0xFFFF'FFFF;

const bool registered = memory::register_kind(
  object_kind::queue, {.dispose = dispose_box,
                       .holder_died = holder_of_box_died,
                       .layout = message_queue::layout()});

} // namespace

std::uint64_t message_queue::size_for(const message_queue_options& options) {
  const std::uint64_t slots = run_memory::current().header().slots;
  return sizeof(message_queue) + slots / 8
         + (options.ledger ? ledger_inside * sizeof(ledger_entry) : 0);
}

reference message_queue::create(const message_queue_options& options) {
  static_cast<void>(registered);
  static_assert(sizeof(message_queue) == 1280);
  static_assert(offsetof(message_queue, put_) == 384);
  static_assert(offsetof(message_queue, readers_) == 512);
  static_assert(offsetof(message_queue, taken_) == 768);
  auto made = reference::create(object_kind::queue, size_for(options));
  auto* box = made.as<message_queue>();
  box->options_ = options;
  box->writers_.lock.initialise();
  box->readers_.lock.initialise();
  return made;
}

std::uint64_t message_queue::size() const noexcept {
  // In this order the difference is never negative; but what was taken in
  // between makes it too large.
  const auto taken = messages_in(taken_.word.load(std::memory_order_seq_cst));
  const auto in = messages_in(put_.word.load(std::memory_order_seq_cst))
                  - taken;
  return options_.messages == 0 ? in : std::min(in, options_.messages);
}

bool message_queue::full() const noexcept {
  return !has_room(0);
}

bool message_queue::readable() const noexcept {
  const auto taken = messages_in(taken_.word.load(std::memory_order_seq_cst));
  const auto word = put_.word.load(std::memory_order_seq_cst);
  return messages_in(word) != taken || (word & closed_bit) != 0;
}

void message_queue::close() {
  {
    const message_queue_lock guard{writers_.lock, [this] { recover_put(); },
                                   "close a mailbox"};
    TROUPE_CRASH_POINT("mailbox.close.locked");
    put_.word.store(put_.word.load(std::memory_order_relaxed) | closed_bit,
                    std::memory_order_seq_cst);
    TROUPE_CRASH_POINT("mailbox.close.unannounced");
  }
  wake_everybody();
}

void message_queue::writers_gone() noexcept {
  put_.word.fetch_or(closed_bit, std::memory_order_seq_cst);
  wake_everybody();
}

void message_queue::readers_gone() noexcept {
  arrivals_.no_readers.store(1, std::memory_order_seq_cst);
  wake_everybody();
}

void message_queue::wake_everybody() noexcept {
  constexpr auto all = std::numeric_limits<int>::max();
  // Each caller has changed a word before, seq_cst, that a waiter reads once
  // more after it has counted itself as a sleeper.
  arrivals_.room.wake_if_occupied(all);
  departures_.room.wake_if_occupied(all);
  finishing_.room.wake_if_occupied(all);
  if (arrivals_.watchers.any())
    arrivals_.watchers.notify(watcher_bits());
}

void message_queue::make_entry(std::uint32_t slot) {
  if (has_entry(slot))
    return;
  const std::uint64_t slots = run_memory::current().header().slots;
  const auto made = reference::create(
    object_kind::ledger, (slots - ledger_inside) * sizeof(ledger_entry));
  // Whoever is killed between the note and its end has done one store or both:
  // see recover_take.
  readers_.ledger_note.store(made.id());
  TROUPE_CRASH_POINT("mailbox.ledger.noted");
  memory::keep_alive(made);
  TROUPE_CRASH_POINT("mailbox.ledger.sent");
  readers_.more_ledger.store(made.id());
  TROUPE_CRASH_POINT("mailbox.ledger.linked");
  readers_.ledger_note.store(0);
}

bool message_queue::finish() {
  if (const auto self = run_memory::current().self().index; !has_entry(self)) {
    const message_queue_lock guard{readers_.lock, [this] { recover_take(); },
                                   "finish a task of a queue"};
    make_entry(self);
  }
  auto finished = finishing_.finished.load(std::memory_order_seq_cst);
  do {
    if (finished >= messages_in(taken_.word.load(std::memory_order_seq_cst)))
      return false;
  } while (!finishing_.finished.compare_exchange_weak(
    finished, finished + 1, std::memory_order_seq_cst));
  ledger(run_memory::current().self().index).finished.fetch_add(1);
  if (unfinished() == 0)
    finishing_.room.wake_if_occupied(std::numeric_limits<int>::max());
  return true;
}

std::uint64_t message_queue::unfinished() const noexcept {
  const auto finished = finishing_.finished.load(std::memory_order_seq_cst);
  const auto put = messages_in(put_.word.load(std::memory_order_seq_cst));
  return put - std::min(finished, put);
}

message_queue::finish_outcome
message_queue::wait_finished(const reference& self, deadline limit,
                             std::uint64_t& lost) {
  // A handle that is dropped wakes nobody, so that is looked for now and then.
  constexpr auto look_again = std::chrono::milliseconds{100};
  memory::wait_note note{memory::wait_kind::finished, this, limit};
  for (;;) {
    const auto step = std::min(limit, deadline::after(look_again));
    if (finishing_.room.wait([this] { return unfinished() == 0; }, step, note))
      return finish_outcome::all_finished;
    lost = count_abandoned(self);
    if (lost != 0)
      return finish_outcome::abandoned;
    if (limit.passed())
      return finish_outcome::timed_out;
  }
}

message_queue::ledger_entry&
message_queue::own_entry(memory::slot_id self) noexcept {
  auto& entry = ledger(self.index);
  if (entry.taker.load(std::memory_order_relaxed) >> 32 != self.generation) {
    const auto taken = entry.taken.load();
    const auto left = taken - std::min(taken, entry.finished.load());
    // One store, before the commit: whoever is killed in between has taken
    // nothing, and all that stands here is still those before it.
    entry.taker.store((std::uint64_t{self.generation} << 32)
                      | std::min(left, low_half));
  }
  return entry;
}

std::uint64_t message_queue::count_abandoned(const reference& self) {
  auto& memory = run_memory::current();
  auto* object = memory.find_object(self.id(), object_kind::queue);
  // Nobody takes meanwhile, and what a killed reader took last is in the
  // ledger.
  const message_queue_lock guard{readers_.lock, [this] { recover_take(); },
                                 "wait for the tasks of a queue"};
  std::uint64_t abandoned = 0;
  std::uint64_t finished_for_others = 0;
  const auto used = memory.header().slots_high.load();
  for (std::uint32_t slot = 0; slot < used; ++slot) {
    const bool holds = memory::is_holder(object, slot);
    if (!has_entry(slot))
      break;
    const auto& entry = ledger(slot);
    const auto taker = entry.taker.load();
    const bool lives = holds
                       && taker >> 32 == memory.slot(slot).generation.load();
    // After the look at who holds: nobody lets go of a handle and finishes
    // then.
    const auto finished = entry.finished.load();
    const auto taken = entry.taken.load();
    const auto not_lost = lives ? taken - (taker & low_half) : 0;
    abandoned += taken - not_lost;
    finished_for_others += finished - std::min(finished, not_lost);
  }
  return abandoned - std::min(abandoned, finished_for_others);
}

void message_queue::add_watcher(std::uint32_t slot) noexcept {
  arrivals_.watchers.add(watcher_bits(), slot);
}

void message_queue::remove_watcher(std::uint32_t slot) noexcept {
  arrivals_.watchers.remove(watcher_bits(), slot);
}

void message_queue::user_died(std::uint32_t slot) noexcept {
  remove_watcher(slot);
  arrivals_.room.evacuate();
  departures_.room.evacuate();
  finishing_.room.evacuate();
  if (arrivals_.watchers.any())
    arrivals_.watchers.notify(watcher_bits());
}

void message_queue::dispose() noexcept {
  // Nobody is left who could hold a lock. Should this be killed, it is called
  // again: each step is committed as a take is. A message goes before the
  // commit, for it may be forgotten twice; a segment after it, and is noted.
  recover_put();
  recover_take();
  const auto commit = [this](const take_state& state, std::uint64_t taken) {
    const auto other = (taken_.word.load(std::memory_order_relaxed) & which_bit)
                       ^ which_bit;
    readers_.states[other] = state;
    TROUPE_CRASH_POINT("mailbox.dispose.before_commit");
    taken_.word.store((taken << count_shift) | other);
    TROUPE_CRASH_POINT("mailbox.dispose.committed");
  };
  {
    const auto word = taken_.word.load(std::memory_order_relaxed);
    auto state = readers_.states[word & which_bit];
    if (state.segment == 0) {
      state.segment = writers_.first.load();
      commit(state, messages_in(word));
    }
    writers_.first.store(0);
  }
  for (;;) {
    const auto word = taken_.word.load(std::memory_order_relaxed);
    auto taken = messages_in(word);
    auto state = readers_.states[word & which_bit];
    if (state.segment == 0) {
      memory::forget(readers_.more_ledger.load());
      return readers_.more_ledger.store(0);
    }
    const auto& place = segment::at(state.segment);
    memory::object_id drained = 0;
    if (taken != messages_in(put_.word.load(std::memory_order_acquire))
        && state.position != place.sealed()) {
      const auto found = place.read(state.position);
      if (found.head == nullptr)
        return; // Nonsense ends it here; the rest goes with the run.
      memory::forget(found.object());
      TROUPE_CRASH_POINT("mailbox.dispose.forgotten");
      state.position = found.behind;
      ++taken;
    } else {
      drained = state.segment;
      state.segment = place.next();
      state.position = 0;
    }
    readers_.segment_note.where.store(drained);
    commit(state, taken);
    memory::forget(drained);
    readers_.segment_note.where.store(0);
  }
}

} // namespace troupe::mailbox
