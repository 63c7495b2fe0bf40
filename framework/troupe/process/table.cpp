// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/table.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/inherited_descriptors.hpp>

#include <algorithm>
#include <csignal>
#include <string>

namespace troupe::hosting {

namespace {

using memory::ending;
using memory::run_memory;

/// Where `reserve_slot` looks first; a hint, each process has its own.
// All relaxed: who looks in the wrong place looks on.
std::atomic<std::uint32_t> next_to_try{1};

/// Slots that were used before and that `reserve_slot` looks at.
constexpr std::uint32_t most_looks = 64;

std::uint32_t word(slot_state state) noexcept {
  return static_cast<std::uint32_t>(state);
}

bool move_on(process_slot& slot, slot_state from, slot_state to) noexcept {
  auto expected = word(from);
  return slot.state.compare_exchange_strong(expected, word(to),
                                            std::memory_order_acq_rel);
}

/// What `state` holds while the process in row `owner` fills or cleans a slot.
std::uint32_t reserved_by(std::uint32_t owner) noexcept {
  return word(slot_state::reserved) | owner << 8;
}

std::uint32_t own_reservation() noexcept {
  return reserved_by(run_memory::current().self().index);
}

/// Empties a slot that the caller has reserved, and gives it back.
void clean(process_slot& slot) noexcept {
  TROUPE_CRASH_POINT("process.free.begun");
  memory::forget_at(slot.arguments);
  memory::forget_at(slot.result);
  slot.claim.store(0, std::memory_order_relaxed);
  // Not the start time: who has just read the pid must not take another process
  // for that one.
  slot.pid.store(0, std::memory_order_relaxed);
  slot.daemon.store(0, std::memory_order_relaxed);
  slot.detached.store(0, std::memory_order_relaxed);
  slot.awaited.store(process_slot::not_awaited, std::memory_order_relaxed);
  for (auto* signals :
       {&slot.root_decides, &slot.listens, &slot.asked, &slot.told})
    signals->store(0, std::memory_order_relaxed);
  slot.children_started.store(0, std::memory_order_relaxed);
  slot.share_table.store(0, std::memory_order_relaxed);
  slot.transport_root.store(0, std::memory_order_relaxed);
  slot.waits_for.store(0, std::memory_order_relaxed);
  slot.ended_by.store(0, std::memory_order_relaxed);
  slot.code.store(0, std::memory_order_relaxed);
  slot.exception_type.clear();
  slot.exception_text.clear();
  slot.inner_exceptions.clear();
  slot.tail_written.store(0, std::memory_order_relaxed);
  slot.parent.store(0, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("process.free.cleaned");
  slot.state.store(word(slot_state::free), std::memory_order_release);
}

bool move_to_reserved(process_slot& slot, slot_state from) noexcept {
  auto expected = word(from);
  return slot.state.compare_exchange_strong(expected, own_reservation(),
                                            std::memory_order_acq_rel);
}

/// What the dead process in row `index` was filling or cleaning.
void clean_after(std::uint32_t index) noexcept {
  for_each_slot([index](std::uint32_t, process_slot& slot) {
    auto expected = reserved_by(index);
    if (slot.state.load(std::memory_order_acquire) == expected
        && slot.state.compare_exchange_strong(expected, own_reservation()))
      clean(slot);
  });
}

void end_children_of(std::uint64_t parent) noexcept {
  for_each_slot([parent](std::uint32_t index, process_slot& slot) {
    if (slot.parent.load(std::memory_order_relaxed) != parent)
      return;
    const bool daemon = slot.daemon.load(std::memory_order_relaxed) != 0;
    switch (slot.current_state()) {
      case slot_state::requested:
        // Its parent may have died before it could tell the fork server.
        if (!daemon && announce_request(index))
          break;
        if (move_to_reserved(slot, slot_state::requested))
          clean(slot);
        break;
      case slot_state::starting:
      case slot_state::running:
        // One that has not claimed its slot yet looks at its parent when it
        // does.
        if (daemon)
          os::send_signal(slot.identity(), SIGKILL);
        break;
      case slot_state::dead:
        if (move_to_reserved(slot, slot_state::dead))
          clean(slot);
        break;
      default: break;
    }
  });
}

/// Wakes all that wait for any death.
void tell_everybody() noexcept {
  auto& deaths = run_memory::current().header().deaths;
  deaths.fetch_add(1, std::memory_order_release);
  os::wake_all(deaths);
  for_each_slot([](std::uint32_t, process_slot& other) {
    if (other.current_state() == slot_state::running)
      memory::notify_of_death(other);
  });
}

/// Wakes all that wait for the death of this very process, whose slot says
/// `dead`.
void announce_death(slot_id id, std::uint64_t parent) noexcept {
  auto& slot = run_memory::current().slot(id.index);
  os::wake_all(slot.state);
  // The parent, dying at the same time, may have passed this slot before.
  if (!is_alive(parent) || slot.detached.load() != 0)
    free_slot(id, slot_state::dead);
  TROUPE_CRASH_POINT("process.death.freed");
}

/// All but to wake those who wait for any death.
void finish_death(std::uint32_t index, process_slot& slot) noexcept {
  // Counted twice: whoever sees that something of the dead process has ended
  // sees that there was a death. release: pairs with the acquire of those who
  // look.
  run_memory::current().header().deaths.fetch_add(1, std::memory_order_release);
  TROUPE_CRASH_POINT("process.death.begun");
  memory::release_holdings(index);
  // Not only when the slot is emptied: whoever waits for what it was given, and
  // never took, may be waited for by whoever would join it.
  memory::forget_at(slot.arguments);
  TROUPE_CRASH_POINT("process.death.released");
  // Once the slot says `dead`, a joiner may free it and another take it.
  const slot_id id{index, slot.generation.load(std::memory_order_relaxed)};
  const auto parent = slot.parent.load(std::memory_order_relaxed);
  // Most have started nothing, and need no look at all the others.
  if (slot.children_started.load(std::memory_order_acquire) != 0) {
    end_children_of(id.packed());
    clean_after(index);
  }
  memory::end_counters(slot, id);
  // release: pairs with the acquire of whoever joins and reads the status;
  // seq_cst: one of us sees the other's word if the parent dies or detaches.
  slot.state.store(word(slot_state::dead), std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("process.death.told");
  announce_death(id, parent);
}

bool begin_death(process_slot& slot) noexcept {
  return move_on(slot, slot_state::running, slot_state::dying)
         || move_on(slot, slot_state::requested, slot_state::dying)
         || move_on(slot, slot_state::starting, slot_state::dying)
         // A reaper was killed on the way: the work is ours now.
         || slot.current_state() == slot_state::dying;
}

/// Does what `confirm_death` promises, but to wake those who wait for any
/// death. Returns false if the process was confirmed dead before.
bool confirm_end(std::uint32_t index, const os::child_end& end) noexcept {
  auto& slot = run_memory::current().slot(index);
  if (!begin_death(slot))
    return false;
  const bool told = slot.ended_by.load(std::memory_order_acquire)
                      == static_cast<std::uint32_t>(ending::threw)
                    && !end.signaled && end.code == 1;
  // Killed before it could say so itself.
  std::int32_t unknown = 0;
  slot.pid.compare_exchange_strong(unknown, end.pid);
  if (!told) {
    slot.code.store(end.code, std::memory_order_relaxed);
    slot.ended_by.store(static_cast<std::uint32_t>(
                          end.signaled ? ending::signaled : ending::exited),
                        std::memory_order_relaxed);
  }
  finish_death(index, slot);
  return true;
}

} // namespace

bool is_own_slot() noexcept {
  auto& memory = run_memory::current();
  return memory.own_slot().pid.load(std::memory_order_relaxed)
         == os::this_pid();
}

void require_own_slot(const char* attempted) {
  if (!is_own_slot())
    throw invalid_state(attempted,
                        "this process was forked off the one that has it",
                        "do it there");
}

bool is_alive(slot_state state) noexcept {
  return state == slot_state::requested || state == slot_state::starting
         || state == slot_state::running || state == slot_state::dying;
}

bool is_alive(std::uint64_t packed) noexcept {
  const auto* slot = run_memory::current().find(slot_id::unpacked(packed));
  if (slot == nullptr)
    return false;
  const auto state = slot->current_state();
  return is_alive(state) && state != slot_state::dying;
}

slot_id reserve_slot() {
  auto& memory = run_memory::current();
  auto& header = memory.header();
  const auto own = own_reservation();
  const auto take = [&](std::uint32_t index) {
    auto& slot = memory.slot(index);
    auto expected = word(slot_state::free);
    return slot.current_state() == slot_state::free
           && slot.state.compare_exchange_strong(expected, own,
                                                 std::memory_order_acq_rel);
  };
  const auto high = std::max(1U,
                             header.slots_high.load(std::memory_order_acquire));
  std::uint32_t index = 0;
  // From where this process has last found or freed one, among those that were
  // used before, so that the table grows no further than it must. But not all
  // of them: with many alive that would cost more than the start.
  const auto used = high - 1;
  const auto first = next_to_try.load(std::memory_order_relaxed);
  for (std::uint32_t turn = 0; index == 0 && turn < std::min(used, most_looks);
       ++turn)
    if (const auto each = 1 + (first - 1 + turn) % used; take(each))
      index = each;
  // Then the next new one, and in the end any.
  for (std::uint32_t turn = 0; index == 0 && turn < header.slots; ++turn)
    if (const auto each = (high + turn) % header.slots; each != 0 && take(each))
      index = each;
  if (index != 0) {
    auto seen = header.slots_high.load(std::memory_order_relaxed);
    while (seen <= index
           && !header.slots_high.compare_exchange_weak(
             seen, index + 1, std::memory_order_acq_rel)) {
    }
    auto& slot = memory.slot(index);
    slot.parent.store(memory.self().packed(), std::memory_order_relaxed);
    const auto generation
      = slot.generation.fetch_add(1, std::memory_order_acq_rel) + 1;
    slot.claim.store(std::uint64_t{generation} << 32,
                     std::memory_order_relaxed);
    next_to_try.store(index + 1, std::memory_order_relaxed);
    return {index, generation};
  }
  throw limit_reached("start a process",
                      "the run has " + std::to_string(header.slots - 1)
                        + " processes, alive or not yet joined",
                      "join some, or raise limits::processes");
}

void require_places(std::uint64_t children) {
  const std::uint64_t places = run_memory::current().header().slots - 1;
  if (children > places)
    throw limit_reached("start a process",
                        "the run has room for " + std::to_string(places)
                          + ", and " + std::to_string(children) + " are wanted",
                        "start fewer, or raise limits::processes");
}

void give_back(slot_id reserved) noexcept {
  clean(run_memory::current().slot(reserved.index));
}

void free_slot(slot_id id, slot_state from) noexcept {
  auto* slot = run_memory::current().find(id);
  if (slot == nullptr || !move_to_reserved(*slot, from))
    return;
  clean(*slot);
  auto next = next_to_try.load(std::memory_order_relaxed);
  while (id.index < next
         && !next_to_try.compare_exchange_weak(next, id.index,
                                               std::memory_order_relaxed)) {
  }
}

void detach(slot_id id) noexcept {
  if (auto* slot = run_memory::current().find(id)) {
    slot->detached.store(1);
    free_slot(id, slot_state::dead);
  }
}

void recover_reservations(std::uint32_t owner) noexcept {
  clean_after(owner);
}

bool announce_request(std::uint32_t index) noexcept {
  const auto& own = inherited_descriptors::current();
  return os::identity_of(own.requests.get()) == own.requests_identity
         && os::write_all(own.requests.get(),
                          {reinterpret_cast<const char*>(&index),
                           sizeof index});
}

void confirm_death(std::uint32_t index, const os::child_end& end) noexcept {
  if (confirm_end(index, end))
    tell_everybody();
}

void confirm_death_untold(std::uint32_t index,
                          const os::child_end& end) noexcept {
  // Before the slot says `dead`. release: pairs with the acquire of the root
  // that takes over.
  run_memory::current().header().untold_deaths.store(1,
                                                     std::memory_order_release);
  static_cast<void>(confirm_end(index, end));
}

void tell_of_deaths() noexcept {
  auto& untold = run_memory::current().header().untold_deaths;
  if (untold.load(std::memory_order_acquire) == 0)
    return;
  tell_everybody();
  // Last: the root tells them again if this process is killed on the way.
  untold.store(0, std::memory_order_relaxed);
}

void finish_announcement(std::int32_t pid) noexcept {
  for_each_slot([pid](std::uint32_t index, process_slot& slot) {
    if (slot.claimant() == pid && slot.current_state() == slot_state::dead)
      announce_death({index, slot.generation.load()}, slot.parent.load());
  });
}

void confirm_failed_start(std::uint32_t index, const char* reason) noexcept {
  auto& slot = run_memory::current().slot(index);
  if (!begin_death(slot))
    return;
  slot.exception_text.set(reason);
  slot.ended_by.store(static_cast<std::uint32_t>(ending::lost),
                      std::memory_order_relaxed);
  finish_death(index, slot);
  tell_everybody();
}

} // namespace troupe::hosting
