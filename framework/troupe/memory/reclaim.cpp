// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reclaim.hpp>

#include <troupe/memory/extents.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/shares.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <mutex>
#include <span>

namespace troupe::memory {

namespace {

/// The row behind the last slot has the first bit, so that the many small runs
/// need no bits outside of the heads.
std::uint32_t position_of(std::uint32_t row) noexcept {
  return row == run_memory::current().header().slots ? 0 : row + 1;
}

constexpr std::uint32_t rows_inside(object_side side) noexcept {
  return side.is_second ? object_head::second_rows_inside
                        : object_head::rows_inside;
}

/// The flag that says that bits of holders stand outside of the head.
constexpr std::uint32_t more_flag(object_side side) noexcept {
  return side.is_second ? object_head::has_more_second_holders
                        : object_head::has_more_holders;
}

std::span<std::atomic<std::uint64_t>> words_inside(object_side side) noexcept {
  if (side.is_second)
    return side.head->second_holders;
  return side.head->holders;
}

std::atomic<std::uint64_t>& word_of(object_side side,
                                    std::uint32_t position) noexcept {
  return position < rows_inside(side)
           ? words_inside(side)[position / 64]
           : head_table::more_holders(side,
                                      (position - rows_inside(side)) / 64);
}

bool is_held(object_side side) noexcept {
  // First the bits and then the shares: who counts one holds a bit meanwhile,
  // and may drop the bit only afterwards. [send]
  for (const auto& word : words_inside(side))
    if (word.load(std::memory_order_seq_cst) != 0)
      return true;
  const auto flags = side.head->flags.load(std::memory_order_seq_cst);
  if ((flags & object_head::is_owned) != 0)
    return true;
  if ((flags & more_flag(side)) != 0) {
    const auto& header = run_memory::current().header();
    const auto words = side.is_second ? header.more_second_words
                                      : header.more_words;
    for (std::uint32_t word = 0; word < words; ++word)
      if (head_table::more_holders(side, word).load(std::memory_order_seq_cst)
          != 0)
        return true;
  }
  return side.shares_now().count() != 0;
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

/// Another may have ended the object before the look at its head, and its page
/// be gone. [late look]
void looked_at(object_head* object) noexcept {
  head_table::looked_at(run_memory::current().index_of(object));
}

void end_if_both_ended(object_head* object, std::uint32_t row) noexcept;

/// Ends an object that `row` has the life of, or only its first side if the
/// second has not ended. Every step may be done again by whoever goes on after
/// a crash, and none is done by two at a time.
void end(object_head* object, std::uint32_t row) noexcept {
  TROUPE_CRASH_POINT("memory.reclaim.decided");
  if (const auto kind = object->kind.load(std::memory_order_acquire);
      kind != 0) {
    if ((object->flags.load(std::memory_order_relaxed)
         & object_head::has_shares)
        != 0)
      shares::end_all(object, row);
    const auto operations = operations_of(static_cast<object_kind>(kind));
    if (operations.side_ended != nullptr)
      operations.side_ended(run_memory::current().payload_of(object), false);
    if (object->has_second_side()) {
      auto seen = object->life_now();
      object->change(seen, life_state::ended);
      TROUPE_CRASH_POINT("memory.side.first_ended");
      return end_if_both_ended(object, row);
    }
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

/// Ends an object of two sides of which both have ended, in the name of `row`.
/// Who ends a side looks after it; so the later one finds that both have.
void end_if_both_ended(object_head* object, std::uint32_t row) noexcept {
  // A second side that has ended does so for ever. So if `life` has not moved
  // between the look and the exchange, it is that of this object. [sides]
  auto seen = object->life_now();
  if (seen.state() == life_state::ended && !object->has_second_side()
      && object->change(seen, life_state::dying, row))
    return end(object, row);
  looked_at(object);
}

/// Ends the second side of an object, which `row` has the life of. As `end`.
void end_second(object_head* object, std::uint32_t row) noexcept {
  TROUPE_CRASH_POINT("memory.side.decided");
  const auto kind = object->kind.load(std::memory_order_acquire);
  const auto operations = operations_of(static_cast<object_kind>(kind));
  if (operations.side_ended != nullptr)
    operations.side_ended(run_memory::current().payload_of(object), true);
  const object_side side{object, true};
  auto seen = side.life_now();
  side.change(seen, life_state::none);
  TROUPE_CRASH_POINT("memory.side.second_ended");
  end_if_both_ended(object, row);
}

} // namespace

void set_holder(object_side side, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  if (position >= rows_inside(side))
    side.head->flags.fetch_or(more_flag(side), std::memory_order_seq_cst);
  word_of(side, position)
    .fetch_or(1ULL << (position % 64), std::memory_order_seq_cst);
}

void clear_holder(object_side side, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  word_of(side, position)
    .fetch_and(~(1ULL << (position % 64)), std::memory_order_seq_cst);
}

bool is_holder(object_side side, std::uint32_t row) noexcept {
  const auto position = position_of(row);
  if (position >= rows_inside(side)
      && (side.head->flags.load() & more_flag(side)) == 0)
    return false;
  return (word_of(side, position).load(std::memory_order_acquire)
          & (1ULL << (position % 64)))
         != 0;
}

void end_if_unheld(object_side side, std::uint32_t row) noexcept {
  for (;;) {
    // An attach sets its bit first and then changes `life`. So either the scan
    // sees the bit, or the exchange below fails because `life` moved, or the
    // attach comes after the exchange and finds the object dying. [attach]
    auto seen = side.life_now();
    if (seen.state() != life_state::alive || is_held(side))
      return looked_at(side.head);
    if (side.change(seen, life_state::dying, row))
      return side.is_second ? end_second(side.head, row) : end(side.head, row);
  }
}

void finish_work(object_head* object, std::uint32_t row) noexcept {
  if (object->second_life_now().is(life_state::dying, row))
    end_second(object, row);
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
    case life_state::ended: end_if_both_ended(object, row); break;
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
