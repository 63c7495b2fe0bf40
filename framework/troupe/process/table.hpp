// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/child.hpp>

#include <concepts>
#include <cstdint>

namespace troupe {
class process_view;
} // namespace troupe

namespace troupe::hosting {

using memory::process_slot;
using memory::slot_id;
using memory::slot_state;

/// Takes a free slot for a child of the calling process; state `reserved`.
/// Throws `limit_reached`.
[[nodiscard]] slot_id reserve_slot();

/// Throws the `limit_reached` of `reserve_slot` if the run has no place for
/// that many children, however few are alive.
void require_places(std::uint64_t children);

/// Gives a slot back that `reserve_slot` has given to the calling process.
void give_back(slot_id reserved) noexcept;

/// Gives the slot of `id`, in state `from`, back with what it still owns:
/// arguments and result that nobody took. Does nothing if somebody else did.
void free_slot(slot_id id, slot_state from) noexcept;

/// No handle will join the process of `id`: its slot is given back at its
/// death, or now.
void detach(slot_id id) noexcept;

/// Gives back what the process in row `owner`, which is dead, had reserved.
void recover_reservations(std::uint32_t owner) noexcept;

/// Waits until a process has a number, or has none to come; false: `limit`
/// passed first.
/// @blocks on the fork server, for the time of a fork
[[nodiscard]] bool await_begin(const process_view& of, deadline limit);

/// Tells the fork server that the slot at `index` waits in the table. To tell
/// it twice does no harm. Does not block: the pipe has room for every slot.
/// Returns false if this process has its end of that pipe open no more.
[[nodiscard]] bool announce_request(std::uint32_t index) noexcept;

/// Makes the death of the process in slot `index` known: notes how it ended,
/// gives back all that it held, ends or forgets its children, wakes whoever
/// waits. Only for whoever saw the death: the fork server or the root. Safe to
/// do again, by another, after a crash on the way.
void confirm_death(std::uint32_t index, const os::child_end& end) noexcept;

/// As `confirm_death`, but wakes only those who wait for this very process. The
/// caller, who is the fork server, wakes those who wait for any death by
/// `tell_of_deaths`, once for many: to wake all for each death would cost the
/// square of their number. Should the server be killed before that, the root
/// does it by `finish_announcement`.
void confirm_death_untold(std::uint32_t index,
                          const os::child_end& end) noexcept;

/// Wakes whoever waits for any death, if `confirm_death_untold` was called
/// since this was done last.
void tell_of_deaths() noexcept;

/// Finishes what a fork server that was killed after it wrote the status of
/// `pid` may have left: wakes whoever waits.
void finish_announcement(std::int32_t pid) noexcept;

/// As `confirm_death`, for a process that could not be made: `ending::lost`.
void confirm_failed_start(std::uint32_t index, const char* reason) noexcept;

/// Returns whether the calling process is the one that its slot speaks of, and
/// not a copy that somebody forked off it.
[[nodiscard]] bool is_own_slot() noexcept;

/// Throws `invalid_state` if it is such a copy.
void require_own_slot(const char* attempted);

/// Returns whether a process is there that has not been confirmed dead.
[[nodiscard]] bool is_alive(slot_state state) noexcept;

/// Returns whether the process `packed` (a packed slot_id) is alive.
[[nodiscard]] bool is_alive(std::uint64_t packed) noexcept;

/// Calls `visit(index, slot)` for every slot that was ever used.
template <std::invocable<std::uint32_t, process_slot&> Visit>
void for_each_slot(Visit visit) {
  auto& memory = memory::run_memory::current();
  const auto high = memory.header().slots_high.load(std::memory_order_acquire);
  for (std::uint32_t index = 0; index < high; ++index)
    visit(index, memory.slot(index));
}

/// Calls `visit(index, slot)` for every living process of the run but the root.
template <std::invocable<std::uint32_t, process_slot&> Visit>
void for_each_host(Visit visit) {
  for_each_slot([&](std::uint32_t index, process_slot& slot) {
    if (index != 0 && is_alive(slot.current_state()))
      visit(index, slot);
  });
}

} // namespace troupe::hosting
