// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/shares.hpp>

#include <troupe/memory/head_table.hpp>
#include <troupe/memory/own_row.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>

namespace troupe::memory::shares {

namespace {

constexpr std::uint64_t share_ends = 1;

share_change& change_of(std::uint32_t row) noexcept {
  return run_memory::current().row(row).share;
}

/// What was last done to the word must be known to be so before the word says
/// something else.
void make_known(object_side side, object_id id, share_word seen) noexcept {
  const auto row = seen.row();
  if (row > run_memory::current().header().slots)
    return;
  auto& change = change_of(row);
  const auto number = change.number.load(std::memory_order_seq_cst);
  if (share_word::tag(row, number) != seen.tag()
      || change.object.load(std::memory_order_seq_cst) != id)
    return;
  auto counted = change.counted.load(std::memory_order_seq_cst);
  // While that change is not counted the two before are its own. And as it has
  // a number that the word did not have when it began, the word says that it is
  // counted, if it is still what it was.
  if (counted < number
      && change.number.load(std::memory_order_seq_cst) == number
      && side.shares_now().bits == seen.bits)
    change.counted.compare_exchange_strong(counted, number,
                                           std::memory_order_seq_cst);
}

/// Whether the noted change of a dead process is in the object's word.
bool is_counted(std::uint32_t row) noexcept {
  const auto& change = change_of(row);
  const auto number = change.number.load(std::memory_order_seq_cst);
  const auto id = change.object.load(std::memory_order_relaxed);
  const auto index = head_number(id);
  // A share that is still counted keeps its object alive; so where there is no
  // such object the share has ended. And if it is there after the look at the
  // word, the word was its own.
  if (!head_table::is_in_use(index))
    return true;
  const auto side = run_memory::current().side_of(id);
  const auto seen = side.shares_now();
  const auto counted = change.counted.load(std::memory_order_seq_cst);
  if (seen.tag() == share_word::tag(row, number) || counted >= number)
    return true;
  const bool gone = !side.is_living(id);
  if (gone)
    head_table::looked_at(index);
  return gone;
}

/// Counts the change that stands in the row. Returns how many shares there are
/// then. If that is none, and nobody holds it, the object may be gone by now.
std::uint64_t count(std::uint32_t row) noexcept {
  auto& change = change_of(row);
  const auto number = change.number.load(std::memory_order_relaxed);
  const auto id = change.object.load(std::memory_order_relaxed);
  const bool ends = (change.place.load(std::memory_order_relaxed) & share_ends)
                    != 0;
  const auto side = run_memory::current().side_of(id);
  auto seen = side.shares_now();
  share_word next;
  do {
    make_known(side, id, seen);
    // Never below 0, though a process has written where nothing of its is.
    const auto count = ends ? std::max<std::uint64_t>(seen.count(), 1) - 1
                            : seen.count() + 1;
    next = {count | share_word::tag(row, number)};
  } while (!side.shares().compare_exchange_strong(seen.bits, next.bits,
                                                  std::memory_order_seq_cst));
  TROUPE_CRASH_POINT("memory.share.counted");
  // Others may have done so; nobody can say more.
  change.counted.store(number, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.share.known");
  return next.count();
}

/// Writes at the place what is counted now.
void write_place(const share_change& change) noexcept {
  const auto place = change.place.load(std::memory_order_relaxed);
  auto* at = reinterpret_cast<object_id*>(
    run_memory::current().at(place & ~share_ends));
  // release: pairs with the acquire in end_all.
  std::atomic_ref{*at}.store((place & share_ends) != 0
                               ? 0
                               : change.object.load(std::memory_order_relaxed),
                             std::memory_order_release);
  TROUPE_CRASH_POINT("memory.share.written");
}

/// @pre the object has not ended, or the page of its head is in use
bool is_living(object_id id) noexcept {
  return head_table::is_in_use(head_number(id))
         && run_memory::current().side_of(id).is_living(id);
}

void finish(share_change& change) noexcept {
  change.finished.store(change.number.load(std::memory_order_relaxed),
                        std::memory_order_release);
}

/// Notes a change and makes it, but for `finish`. Returns what `count` does.
std::uint64_t change_shares(std::uint32_t row, object_id id, object_id& place,
                            std::uint64_t what) noexcept {
  auto& memory = run_memory::current();
  auto& change = change_of(row);
  // release: who finds this, and `counted` behind the number, has the number's.
  change.object.store(id, std::memory_order_release);
  change.place.store(memory.offset_of(&place) | what,
                     std::memory_order_release);
  auto number = change.number.load(std::memory_order_relaxed) + 1;
  // Not the one that the word has: then it would seem counted.
  if (memory.side_of(id).shares_now().tag() == share_word::tag(row, number))
    ++number;
  // release: the exchange comes after it.
  change.number.store(number, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.share.noted");
  const auto left = count(row);
  write_place(change);
  return left;
}

/// Finishes the end of a share, after which the object may end, too. Until that
/// is noted for this process, the note of the change says so.
void finish_end(share_change& change, object_id id) noexcept {
  auto& own = own_row::of_this_process();
  std::optional<std::uint32_t> entry;
  try {
    entry = own.take_entry("end a share");
    own.note(*entry, id);
  } catch (const std::exception&) {
    // As where an `own_note` finds no room.
  }
  finish(change);
  own_row_mutex().unlock();
  TROUPE_CRASH_POINT("memory.share.ended");
  if (kind_of(id) != object_kind::none)
    end_if_unheld(run_memory::current().side_of(id),
                  run_memory::current().self().index);
  own_row_mutex().lock();
  if (entry)
    own.give_entry_back(*entry);
}

/// @pre the caller has `own_row_mutex()`
void end_one(std::uint32_t row, object_id id, object_id& place) noexcept {
  auto& change = change_of(row);
  if (change_shares(row, id, place, share_ends) != 0)
    finish(change);
  else
    finish_end(change, id);
}

} // namespace

std::span<const object_id> of(const object_head* head) noexcept {
  const auto size = head->size.load(std::memory_order_relaxed);
  if ((head->flags.load(std::memory_order_relaxed) & object_head::has_shares)
        == 0
      || size < sizeof(share_list))
    return {};
  const auto& list = *reinterpret_cast<const share_list*>(
    run_memory::current().payload_of(head));
  const auto most = (size - sizeof list) / sizeof(object_id);
  return {list.ids(), static_cast<std::size_t>(std::min(list.count, most))};
}

void add(std::span<const object_id> ids, share_list& list) noexcept {
  const std::scoped_lock guard{own_row_mutex()};
  const auto self = run_memory::current().self().index;
  for (std::size_t at = 0; at < ids.size(); ++at) {
    static_cast<void>(change_shares(self, ids[at], list.ids()[at], 0));
    finish(change_of(self));
  }
}

void end_all(object_head* head, std::uint32_t row) noexcept {
  // Also where the row is a dead process's, and nobody else is there.
  const std::scoped_lock guard{own_row_mutex()};
  for (const auto& place : of(head)) {
    // acquire: pairs with the release in write_place.
    const auto id = std::atomic_ref{const_cast<object_id&>(place)}.load(
      std::memory_order_acquire);
    // What is no object has been written there by somebody else.
    if (id != 0 && is_living(id))
      end_one(row, id, const_cast<object_id&>(place));
  }
}

void settle(std::uint32_t row) noexcept {
  auto& change = change_of(row);
  const auto number = change.number.load(std::memory_order_seq_cst);
  if (change.finished.load(std::memory_order_seq_cst) == number)
    return;
  const auto id = change.object.load(std::memory_order_relaxed);
  if (!is_counted(row))
    static_cast<void>(count(row));
  TROUPE_CRASH_POINT("memory.share.settling");
  write_place(change);
  const std::scoped_lock guard{own_row_mutex()};
  if ((change.place.load(std::memory_order_relaxed) & share_ends) == 0)
    finish(change);
  else
    finish_end(change, id);
}

} // namespace troupe::memory::shares
