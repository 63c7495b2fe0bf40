// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/own_row.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/row_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <bit>
#include <exception>
#include <string>

namespace troupe::memory {

namespace {

constexpr std::uint32_t incomplete = 0x8000'0000;

constexpr std::uint64_t bytes_of_chunk(std::uint32_t chunk) noexcept {
  return std::uint64_t{handle_table::first_chunk} * sizeof(object_id) << chunk;
}

extents::extent extent_of(std::uint32_t chunk, std::uint32_t word) noexcept {
  auto result = extents::needed_for(bytes_of_chunk(chunk));
  result.first = (word & ~incomplete) - 1;
  return result;
}

// Of the orders of an entry, see `own_row::chunks`.
std::atomic<object_id>* entries_at(const extents::extent& where) noexcept {
  return reinterpret_cast<std::atomic<object_id>*>(
    run_memory::current().at(extents::place_of(where)));
}

} // namespace

std::mutex& own_row_mutex() {
  // Never destroyed, for the sake of handles in static variables.
  static auto& mutex = *new std::mutex;
  return mutex;
}

own_row& own_row::of_this_process() {
  static auto& own = *new own_row;
  return own;
}

std::uint32_t own_row::take_entry(const char* attempted) {
  if (!free_entries.empty()) {
    const auto entry = free_entries.back();
    free_entries.pop_back();
    return entry;
  }
  auto& memory = run_memory::current();
  if (entries_high >= memory.header().handles)
    throw limit_reached(attempted,
                        "this process holds " + std::to_string(entries_high)
                          + " different objects already",
                        "drop handles or raise limits::handles");
  // Room to give it back without allocating, and to remember freed heads.
  if (free_entries.capacity() <= entries_high)
    free_entries.reserve(
      std::max<std::size_t>(64, std::size_t{entries_high} * 2));
  if (heads.freed.capacity() == 0)
    heads.freed.reserve(64);
  const auto self = memory.self().index;
  auto& row = memory.row(self);
  const auto at = handle_table::place_of(entries_high);
  if (chunks[at.chunk] == nullptr) {
    auto& word = row.handle_chunks[at.chunk];
    // The word stands before the first granule is taken, and says that nothing
    // is in them.
    const bool taken = extents::take(
      extents, extents::needed_for(bytes_of_chunk(at.chunk)),
      extents::owner_row(self),
      [](void* to, const extents::extent& attempt) {
        static_cast<std::atomic<std::uint32_t>*>(to)->store(
          (attempt.first + 1) | incomplete, std::memory_order_seq_cst);
      },
      &word);
    if (!taken) {
      word.store(0, std::memory_order_release);
      throw limit_reached(attempted,
                          "the run has no addresses for a larger handle table",
                          "drop handles or raise limits::address_space");
    }
    TROUPE_CRASH_POINT("memory.handles.taken");
    word.fetch_and(~incomplete, std::memory_order_seq_cst);
    chunks[at.chunk] = entries_at(extent_of(at.chunk, word.load()));
  }
  if (entries_high == 0)
    row.keeps.store(1, std::memory_order_release);
  row.holdings_high.store(entries_high + 1, std::memory_order_release);
  return entries_high++;
}

void own_row::note(std::uint32_t entry, object_id id) noexcept {
  const auto at = handle_table::place_of(entry);
  // seq_cst: the note stands before the first change to the object.
  chunks[at.chunk][at.index].store(id, std::memory_order_seq_cst);
}

void own_row::give_entry_back(std::uint32_t entry) noexcept {
  const auto at = handle_table::place_of(entry);
  // release: only after everything that was done to the object.
  chunks[at.chunk][at.index].store(0, std::memory_order_release);
  free_entries.push_back(entry);
}

void own_row::reset() noexcept {
  heads.freed.clear();
  heads.page = 0;
  heads.next_empty = 0;
  extents = {};
  free_entries.clear();
  entries_high = 0;
  chunks = {};
}

own_note::own_note(const char* attempted, object_id id) noexcept {
  try {
    auto& own = own_row::of_this_process();
    const std::scoped_lock guard{own_row_mutex()};
    const auto entry = own.take_entry(attempted);
    own.note(entry, id);
    entry_ = entry;
  } catch (const std::exception&) {
    // As the class says.
  }
}

own_note::~own_note() {
  if (!entry_)
    return;
  const std::scoped_lock guard{own_row_mutex()};
  own_row::of_this_process().give_entry_back(*entry_);
}

namespace handle_table {

place place_of(std::uint32_t entry) noexcept {
  const auto chunk
    = static_cast<std::uint32_t>(std::bit_width(entry / first_chunk + 1) - 1);
  return {chunk, entry - first_chunk * ((1U << chunk) - 1)};
}

void for_each(std::uint32_t row,
              void (*use)(void* context, std::atomic<object_id>& entry),
              void* context) noexcept {
  auto& of = run_memory::current().row(row);
  const auto high = of.holdings_high.load(std::memory_order_acquire);
  for (std::uint32_t chunk = 0; chunk < row_memory::most_chunks; ++chunk) {
    const auto word = of.handle_chunks[chunk].load(std::memory_order_acquire);
    const auto before = first_chunk * ((1U << chunk) - 1);
    if (word == 0 || (word & incomplete) != 0 || before >= high)
      continue;
    auto* entries = entries_at(extent_of(chunk, word));
    const auto count = std::min(high - before, first_chunk << chunk);
    for (std::uint32_t index = 0; index < count; ++index)
      use(context, entries[index]);
  }
}

void free(std::uint32_t row) noexcept {
  auto& of = run_memory::current().row(row);
  of.holdings_high.store(0, std::memory_order_release);
  for (std::uint32_t chunk = 0; chunk < row_memory::most_chunks; ++chunk) {
    auto& word = of.handle_chunks[chunk];
    const auto seen = word.load(std::memory_order_acquire);
    if (seen == 0)
      continue;
    const auto where = extent_of(chunk, seen);
    // Only what is wholly the row's has anything in it. And once a granule is
    // free, another may have written there: so nobody makes holes again.
    if ((seen & incomplete) == 0) {
      extents::punch(where);
      word.fetch_or(incomplete, std::memory_order_seq_cst);
    }
    TROUPE_CRASH_POINT("memory.handles.punched");
    extents::free(where, extents::owner_row(row));
    word.store(0, std::memory_order_release);
  }
}

} // namespace handle_table

} // namespace troupe::memory
