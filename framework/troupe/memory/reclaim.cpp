// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reclaim.hpp>

#include <troupe/memory/extents.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/shares.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <mutex>

namespace troupe::memory {

namespace {

/// The row behind the last slot has the first bit, so that the many small runs
/// need no bits outside of the heads.
std::uint32_t position_of(std::uint32_t row) noexcept {
  return row == run_memory::current().header().slots ? 0 : row + 1;
}

std::atomic<std::uint64_t>& word_of(object_head* object,
                                    std::uint32_t position) noexcept {
  return position < object_head::rows_inside
           ? object->holders[position / 64]
           : head_table::more_holders(
               object, (position - object_head::rows_inside) / 64);
}

bool is_held(object_head* object) noexcept {
  // First the bits and then the shares: who counts one holds a bit meanwhile,
  // and may drop the bit only afterwards. [send]
  for (const auto& word : object->holders)
    if (word.load(std::memory_order_seq_cst) != 0)
      return true;
  const auto flags = object->flags.load(std::memory_order_seq_cst);
  if ((flags & (object_head::first_owner | object_head::second_owner)) != 0)
    return true;
  if ((flags & object_head::has_more_holders) != 0)
    for (std::uint32_t word = 0;
         word < run_memory::current().header().more_words; ++word)
      if (head_table::more_holders(object, word).load(std::memory_order_seq_cst)
          != 0)
        return true;
  return object->shares_now().count() != 0;
}

/// The lock of the calling process's row, if that is the one.
std::unique_lock<std::mutex> lock_of(std::uint32_t row) noexcept {
  return row == run_memory::current().self().index
           ? std::unique_lock{own_row_mutex()}
           : std::unique_lock<std::mutex>{};
}

/// Takes the object out of the ledger, in the name of `row`. [ledger]
void strike(object_head* object, std::uint32_t row) noexcept {
  auto& memory = run_memory::current();
  auto& ledger = memory.row(row).ledger;
  ledger.begin(memory.index_of(object),
               -static_cast<std::int64_t>(
                 object->accounted.load(std::memory_order_relaxed)));
  TROUPE_CRASH_POINT("memory.reclaim.striking");
  object->accounted.store(0, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("memory.reclaim.struck");
  ledger.end();
}

/// Ends an object that `row` has the life of. Every step may be done again by
/// whoever goes on after a crash, and none is done by two at a time.
void end(object_head* object, std::uint32_t row) noexcept {
  TROUPE_CRASH_POINT("memory.reclaim.decided");
  if (const auto kind = object->kind.load(std::memory_order_acquire);
      kind != 0) {
    if ((object->flags.load(std::memory_order_relaxed)
         & object_head::has_shares)
        != 0)
      shares::end_all(object, row);
    const auto operations = operations_of(static_cast<object_kind>(kind));
    if (operations.dispose != nullptr)
      operations.dispose(run_memory::current().payload_of(object),
                         object->size.load());
    // Before anything of the payload is given up: it is disposed of once.
    object->kind.store(0, std::memory_order_release);
    TROUPE_CRASH_POINT("memory.reclaim.silent");
    if (warm_memory::is_worth_keeping(object) && warm_memory::keep(object, row))
      return;
  }
  give_up(object, row);
}

} // namespace

void set_holder(object_head* object, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  if (position >= object_head::rows_inside)
    object->flags.fetch_or(object_head::has_more_holders,
                           std::memory_order_seq_cst);
  word_of(object, position)
    .fetch_or(1ULL << (position % 64), std::memory_order_seq_cst);
}

void clear_holder(object_head* object, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  word_of(object, position)
    .fetch_and(~(1ULL << (position % 64)), std::memory_order_seq_cst);
}

bool is_holder(object_head* object, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  if (position >= object_head::rows_inside
      && (object->flags.load() & object_head::has_more_holders) == 0)
    return false;
  return (word_of(object, position).load(std::memory_order_acquire)
          & (1ULL << (position % 64)))
         != 0;
}

void end_if_unheld(object_head* object, std::uint32_t row) noexcept {
  for (;;) {
    // An attach sets its bit first and then changes `life`. So either the scan
    // sees the bit, or the exchange below fails because `life` moved, or the
    // attach comes after the exchange and finds the object dying. [attach]
    auto seen = object->life_now();
    if (seen.state() != life_state::alive || is_held(object))
      return;
    if (object->change(seen, life_state::dying, row))
      return end(object, row);
  }
}

void finish_work(object_head* object, std::uint32_t row) noexcept {
  const auto seen = object->life_now();
  switch (seen.state()) {
    case life_state::free: head_table::announce_free(object, row); break;
    case life_state::taken:
      if (seen.row() != row)
        break;
      // Only its maker can have had a bit in what nobody could attach.
      clear_holder(object, row);
      give_up(object, row);
      break;
    case life_state::dying:
      if (seen.row() == row)
        end(object, row);
      break;
    case life_state::kept:
      // Perhaps kept by the dead process, which did not come to say where.
      if (auto now = seen; object->change(now, life_state::dying, row))
        give_up(object, row);
      break;
    default: break;
  }
}

void give_up(object_head* object, std::uint32_t row) noexcept {
  auto& memory = run_memory::current();
  const auto index = memory.index_of(object);
  if (object->accounted.load(std::memory_order_acquire) != 0) {
    const auto guard = lock_of(row);
    strike(object, row);
  }
  if (object->granules.load(std::memory_order_relaxed) != 0) {
    const auto where = extents::extent_of(object);
    // Once a granule is free, another may have written there: so whoever does
    // this again makes no holes any more.
    if ((object->flags.load() & object_head::is_punched) == 0) {
      extents::punch(where);
      TROUPE_CRASH_POINT("memory.reclaim.half_punched");
      object->flags.fetch_or(object_head::is_punched);
    }
    TROUPE_CRASH_POINT("memory.reclaim.punched");
    extents::free(where, extents::owner_head(index));
    object->granules.store(0, std::memory_order_relaxed);
  }
  const auto guard = lock_of(row);
  head_table::free(guard.owns_lock() ? &own_row::of_this_process().heads
                                     : nullptr,
                   object, row);
}

void settle_ledger(std::uint32_t row) noexcept {
  auto& memory = run_memory::current();
  auto& ledger = memory.row(row).ledger;
  const auto where = ledger.where.load(std::memory_order_acquire);
  if (where == 0)
    return;
  // An object in making, or one that is being given up; the rest follows.
  memory.head_at(static_cast<std::uint32_t>(where))
    ->accounted.store(0, std::memory_order_relaxed);
  if (ledger.amount.load(std::memory_order_relaxed) > 0)
    ledger.undo();
  else {
    ledger.redo();
    ledger.end();
  }
}

} // namespace troupe::memory
