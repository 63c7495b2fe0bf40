// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/warm_memory.hpp>

#include <troupe/memory/extents.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/row_memory.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace troupe::memory::warm_memory {

namespace {

/// Payloads that are smaller are kept whatever the run reserves.
constexpr std::uint64_t counts_from = 64 << 10;

/// One above the rows that this process has kept memory for.
// Raised in `keep` with seq_cst, emptied in `give_back_own` with seq_cst, and
// read relaxed as a hint: the places in `row_memory::kept` say what is kept.
std::atomic<std::uint32_t> rows_kept_for{0};

run_memory& memory() noexcept {
  return run_memory::current();
}

bool fits(const object_head* head, std::uint64_t bytes) noexcept {
  const auto have = extents::extent_of(head);
  const auto need = extents::needed_for(bytes);
  return have.region == need.region && have.count >= need.count
         && have.count - need.count <= need.count / 4
         && head->accounted.load() >= bytes + sizeof(object_head);
}

/// Takes what a place of the table names: life goes from `kept` to `state`. If
/// that is not there any more, the caller calls `looked_at`.
/// @pre the handle table of `row` names the head
object_head* take_from(std::atomic<std::uint32_t>& place, std::uint32_t index,
                       life_state state, std::uint32_t row) noexcept {
  // Who empties the place is alone with what it named.
  if (!place.compare_exchange_strong(index, 0, std::memory_order_seq_cst))
    return nullptr;
  TROUPE_CRASH_POINT("memory.warm.unlisted");
  if (!head_table::is_in_use(index))
    return nullptr;
  auto* head = memory().head_at(index);
  auto seen = head->life_now();
  return seen.state() == life_state::kept && head->change(seen, state, row)
           ? head
           : nullptr;
}

/// Gives back what a place names, in the name of the calling process.
bool give_back_at(std::atomic<std::uint32_t>& place) noexcept {
  const auto index = place.load(std::memory_order_acquire);
  if (index == 0)
    return false;
  const own_note note{"give memory back", index};
  if (!note)
    return false;
  const auto self = memory().self().index;
  auto* head = take_from(place, index, life_state::dying, self);
  if (head != nullptr)
    give_up(head, self);
  else
    head_table::looked_at(index);
  return head != nullptr;
}

} // namespace

object_head* take(std::uint32_t row, std::uint64_t bytes,
                  void (*note)(void* context, std::uint32_t index),
                  void* context) noexcept {
  for (auto& place : memory().row(row).kept) {
    const auto index = place.load(std::memory_order_acquire);
    if (index == 0)
      continue;
    // What the place names may be gone, if who kept it was killed just then.
    const bool in_use = head_table::is_in_use(index);
    if (in_use && !fits(memory().head_at(index), bytes))
      continue;
    note(context, index);
    if (auto* head = take_from(place, index, life_state::taken, row)) {
      TROUPE_CRASH_POINT("memory.warm.taken");
      return head;
    }
    head_table::looked_at(index, row);
  }
  return nullptr;
}

bool is_worth_keeping(const object_head* head) noexcept {
  if (head->granules.load(std::memory_order_relaxed) == 0
      || memory()
             .row(head->creator.load(std::memory_order_relaxed))
             .keeps.load()
           == 0)
    return false;
  const auto bytes = extents::bytes_of(extents::extent_of(head));
  if (bytes < counts_from)
    return true;
  return (bytes <= most_small_extent
          || (head->flags.load(std::memory_order_relaxed)
              & object_head::is_unspecified)
               != 0)
         && memory().reserved_bytes()
              <= memory().header().memory_limit.load() / 8;
}

bool keep(object_head* head, std::uint32_t row) noexcept {
  const auto index = memory().index_of(head);
  const auto of = head->creator.load(std::memory_order_relaxed);
  auto& table = memory().row(of);
  auto seen = head->life_now();
  head->change(seen, life_state::kept);
  TROUPE_CRASH_POINT("memory.keep.unlisted");
  for (auto& place : table.kept) {
    std::uint32_t nothing = 0;
    if (place.load(std::memory_order_relaxed) != 0
        || !place.compare_exchange_strong(nothing, index,
                                          std::memory_order_seq_cst))
      continue;
    TROUPE_CRASH_POINT("memory.keep.listed");
    // seq_cst: either whoever confirms the death of that process sees the
    // place, or this sees that nothing is kept for it any more.
    if (table.keeps.load(std::memory_order_seq_cst) == 0)
      return take_from(place, index, life_state::dying, row) == nullptr;
    if (of != memory().self().index) {
      auto high = rows_kept_for.load(std::memory_order_relaxed);
      while (high <= of && !rows_kept_for.compare_exchange_weak(high, of + 1)) {
      }
    }
    return true;
  }
  // No place. Another cannot have found it: no table names it.
  seen = head->life_now();
  return seen.state() != life_state::kept
         || !head->change(seen, life_state::dying, row);
}

void make_room() noexcept {
  // Any place may be next: its seq_cst orders nothing, and relaxed would do.
  static std::atomic<std::uint32_t> next{0};
  auto& kept = memory().row(memory().self().index).kept;
  if (std::ranges::all_of(kept, [](const auto& place) {
        return place.load(std::memory_order_relaxed) != 0;
      }))
    give_back_at(kept[next.fetch_add(1) % kept.size()]);
}

bool give_back(std::uint32_t of) noexcept {
  bool any = false;
  for (auto& place : memory().row(of).kept)
    any |= give_back_at(place);
  return any;
}

void settle(std::uint32_t row) noexcept {
  auto& of = memory().row(row);
  of.keeps.store(0, std::memory_order_seq_cst);
  // Instead of a note: the handle table of the row may be of nobody any more.
  const auto finish = [&](std::uint32_t index) {
    if (head_table::is_in_use(index))
      finish_work(memory().head_at(index), row);
    head_table::looked_at(index);
    of.settling.store(0, std::memory_order_seq_cst);
  };
  finish(of.settling.load());
  for (auto& place : of.kept) {
    auto index = place.load(std::memory_order_acquire);
    if (index == 0)
      continue;
    of.settling.store(index, std::memory_order_seq_cst);
    TROUPE_CRASH_POINT("memory.warm.settling");
    if (place.compare_exchange_strong(index, 0, std::memory_order_seq_cst))
      finish(index);
  }
}

void give_back_own() noexcept {
  const auto self = memory().self().index;
  give_back(self);
  for (auto of = rows_kept_for.exchange(0); of != 0;)
    give_back(--of);
  const std::scoped_lock guard{own_row_mutex()};
  head_table::give_back_empty_pages(self);
}

bool give_back_all() noexcept {
  bool any = give_back(memory().header().slots);
  const auto high = memory().header().slots_high.load();
  for (std::uint32_t of = 0; of < high; ++of)
    any |= give_back(of);
  return any;
}

bool wait(const os::wait_word& word, std::uint32_t expected,
          deadline limit) noexcept {
  const auto& kept = memory().row(memory().self().index).kept;
  const bool any = rows_kept_for.load(std::memory_order_relaxed) != 0
                   || std::ranges::any_of(kept, [](const auto& place) {
                        return place.load(std::memory_order_relaxed) != 0;
                      });
  const auto nap = any ? std::min(limit, deadline::after(idle)) : limit;
  if (os::wait(word, expected, nap))
    return true;
  if (nap == limit)
    return false;
  give_back_own();
  return true;
}

} // namespace troupe::memory::warm_memory
