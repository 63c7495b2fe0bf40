// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reference.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/burial.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::memory {

/// What the calling process holds: by offset, and in its table in the run's
/// memory, where whoever confirms its death looks. Guarded by `own_row_mutex`.
struct hold_table {
  std::unordered_map<offset, std::weak_ptr<reference::hold>> holds;
  std::vector<std::uint32_t> free_entries;
  std::uint32_t high = 0;

  static hold_table& of_this_process() {
    // Never destroyed, for the sake of handles in static variables.
    static auto& table = *new hold_table;
    return table;
  }

  /// Takes an entry of the table. Throws `limit_reached`, `std::bad_alloc`.
  std::uint32_t take_entry(const char* attempted) {
    if (!free_entries.empty()) {
      const auto entry = free_entries.back();
      free_entries.pop_back();
      return entry;
    }
    auto& memory = run_memory::current();
    if (high >= memory.header().handles)
      throw limit_reached(attempted,
                          "this process holds " + std::to_string(high)
                            + " different objects already",
                          "drop handles or raise limits::handles");
    // Room to give it back without allocating.
    if (free_entries.capacity() <= high)
      free_entries.reserve(std::max<std::size_t>(64, std::size_t{high} * 2));
    const auto entry = high++;
    memory.own_slot().holdings_high.store(high, std::memory_order_release);
    return entry;
  }

  /// Notes that this process is about to hold, or to bury, what is at `where`.
  static void note(std::uint32_t entry, offset where) noexcept {
    auto& memory = run_memory::current();
    // seq_cst: the note stands before the first change to the object.
    memory.holdings(memory.self().index)[entry].store(
      where, std::memory_order_seq_cst);
  }

  void give_entry_back(std::uint32_t entry) noexcept {
    auto& memory = run_memory::current();
    // release: only after everything that was done to the object.
    memory.holdings(memory.self().index)[entry].store(
      0, std::memory_order_release);
    free_entries.push_back(entry);
  }

  /// Makes a hold that holds nothing so far, and its place in `holds`.
  std::shared_ptr<reference::hold> prepare(offset where,
                                           const char* attempted) {
    auto made = std::make_shared<reference::hold>();
    const auto [place, fresh] = holds.try_emplace(where);
    try {
      made->entry = take_entry(attempted);
    } catch (...) {
      // A place that was there before is of a hold that is being destroyed.
      if (fresh)
        holds.erase(place);
      throw;
    }
    made->where = where;
    return made;
  }

  void commit(const std::shared_ptr<reference::hold>& made,
              object_header* object) noexcept {
    made->head = object;
    made->data = object->bytes();
    made->owner = os::this_pid();
    holds.find(made->where)->second = made;
  }

  /// @pre the object is dead, or was never made
  void roll_back(const std::shared_ptr<reference::hold>& made) noexcept {
    give_entry_back(made->entry);
    holds.erase(made->where);
  }
};

namespace {

std::string at_text(offset where) {
  return "attach the object at offset " + std::to_string(where);
}

[[noreturn]] void refuse_kind(offset where, object_kind kind,
                              std::uint32_t found) {
  throw stale_handle(at_text(where),
                     "it is of kind " + name_of(static_cast<object_kind>(found))
                       + ", not " + name_of(kind),
                     "a handle is passed as the type it was made as");
}

std::string creation_text(std::uint64_t size) {
  return "create a shared object of " + std::to_string(size) + " bytes";
}

/// Objects of this size and more start where large pages may; what is left out
/// before them is at most half as much.
constexpr std::uint64_t aligned_from = 2 * os::large_page;

/// Takes address space. Throws `limit_reached`.
offset take_space(std::uint64_t size, std::uint64_t reserved) {
  auto& header = run_memory::current().header();
  const auto unit = reserved >= aligned_from ? os::large_page : 1;
  auto next = header.next.load(std::memory_order_relaxed);
  offset where = 0;
  do {
    where = round_up(next, unit);
    // Not an addition that is taken back where it goes too far: another could
    // have been given space in between, and would be given it again.
    if (where > header.size || reserved > header.size - where)
      throw limit_reached(creation_text(size),
                          "the run has used " + std::to_string(where)
                            + " of its " + std::to_string(header.size)
                            + " bytes of address space",
                          "raise limits::address_space");
  } while (!header.next.compare_exchange_weak(next, where + reserved,
                                              std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
  return where;
}

/// Enters the new object in this process's ledger row; the entry stays open.
/// Throws `limit_reached`.
void take_memory(ledger_row& ledger, offset where, std::uint64_t size,
                 std::uint64_t reserved) {
  auto& memory = run_memory::current();
  ledger.begin(where, static_cast<std::int64_t>(reserved));
  const auto sum = memory.reserved_bytes();
  const auto limit = memory.header().memory_limit.load();
  if (sum <= limit)
    return;
  ledger.undo();
  throw limit_reached(creation_text(size),
                      "living objects reserve " + std::to_string(sum - reserved)
                        + " of the " + std::to_string(limit)
                        + " bytes that the run may use",
                      "drop handles, drain queues, or raise limits::memory");
}

} // namespace

reference reference::create(object_kind kind, std::uint64_t size) {
  auto& memory = run_memory::current();
  const auto& header = memory.header();
  const auto self = memory.self();
  const auto payload = round_up(sizeof(object_header)
                                  + (std::uint64_t{header.slots} / 64 + 1) * 8,
                                cache_line);
  if (size > header.size)
    throw limit_reached(creation_text(size),
                        "the run has an address space of "
                          + std::to_string(header.size) + " bytes",
                        "raise limits::address_space");
  const auto reserved = round_up(payload + size, os::page_size());
  auto& table = hold_table::of_this_process();
  auto& ledger = memory.ledger(self.index);
  const std::scoped_lock guard{own_row_mutex()};
  const auto where = take_space(size, reserved);
  const auto made = table.prepare(where, "create a shared object");
  hold_table::note(made->entry, where);
  TROUPE_CRASH_POINT("memory.create.noted");
  try {
    take_memory(ledger, where, size, reserved);
  } catch (...) {
    table.roll_back(made);
    throw;
  }
  TROUPE_CRASH_POINT("memory.create.entered");
  auto* object = head_at(where);
  object->reserved = reserved;
  object->size = size;
  object->payload = payload;
  object->kind = static_cast<std::uint32_t>(kind);
  object->creator = self.packed();
  object->life.store(one_attach, std::memory_order_relaxed);
  set_holder(object, self.index);
  TROUPE_CRASH_POINT("memory.create.described");
  object->accounted.store(1, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.create.accounted");
  ledger.end();
  TROUPE_CRASH_POINT("memory.create.unpublished");
  // release: pairs with the acquire in find_object.
  object->magic.store(magic_of(kind), std::memory_order_release);
  TROUPE_CRASH_POINT("memory.create.published");
  table.commit(made, object);
  return reference{made};
}

void reference::populate() const noexcept {
  os::populate(hold_->head, hold_->head->reserved);
}

reference reference::attach(offset where, object_kind kind) {
  auto& table = hold_table::of_this_process();
  auto& memory = run_memory::current();
  const auto self = memory.self().index;
  const std::scoped_lock guard{own_row_mutex()};
  if (const auto found = table.holds.find(where); found != table.holds.end())
    if (auto taken = found->second.lock()) {
      if (taken->head->kind != static_cast<std::uint32_t>(kind))
        refuse_kind(where, kind, taken->head->kind);
      return reference{std::move(taken)};
    }
  if (!memory.may_find(where, kind))
    throw stale_handle(at_text(where), "no living object of that kind is there",
                       "keep a handle until the other side has its own");
  const auto made = table.prepare(where, "attach a shared object");
  // Before the first look: that alone may fill a hole.
  hold_table::note(made->entry, where);
  TROUPE_CRASH_POINT("memory.attach.noted");
  auto* object = head_at(where);
  // The bit first: see bury_if_unheld. [attach]
  set_holder(object, self);
  TROUPE_CRASH_POINT("memory.attach.marked");
  const auto life = object->life.fetch_add(one_attach,
                                           std::memory_order_seq_cst);
  if (is_dead(life)
      || object->magic.load(std::memory_order_acquire) != magic_of(kind)) {
    clear_holder(object, self);
    give_back_if_gone(where);
    table.roll_back(made);
    throw stale_handle(at_text(where), "its last holder gave it up meanwhile",
                       "keep a handle until the other side has its own");
  }
  table.commit(made, object);
  return reference{made};
}

reference::hold::~hold() {
  // A child that the user forked has a copy of this hold, not a hold.
  if (owner != os::this_pid())
    return;
  auto& table = hold_table::of_this_process();
  const auto self = run_memory::current().self().index;
  bool last = false;
  {
    const std::scoped_lock guard{own_row_mutex()};
    // Another thread may have attached anew since the count went to zero: then
    // the bit is its. Or that one is gone as well: then it took the bit along.
    const auto found = table.holds.find(where);
    last = found != table.holds.end() && found->second.expired();
    if (last) {
      table.holds.erase(found);
      const auto operations
        = operations_of(static_cast<object_kind>(head->kind));
      if (operations.holder_left != nullptr)
        operations.holder_left(data, head->size, self);
      clear_holder(head, self);
      TROUPE_CRASH_POINT("memory.drop.cleared");
    }
  }
  // Not under the lock: to give a large object back takes its time.
  if (last)
    bury_if_unheld(where, self);
  const std::scoped_lock guard{own_row_mutex()};
  table.give_entry_back(entry);
}

object_kind kind_at(offset where) noexcept {
  if (!may_be_object(where))
    return object_kind::none;
  const auto magic = os::peek(run_memory::current().file(), where);
  const auto kind = static_cast<object_kind>(magic);
  return magic == magic_of(kind) ? kind : object_kind::none;
}

offset send(const reference& object) noexcept {
  auto* head = head_at(object.where());
  head->in_flight.fetch_add(1, std::memory_order_seq_cst);
  return object.where();
}

reference receive(offset where, object_kind kind) {
  try {
    auto taken = reference::attach(where, kind);
    forget(where);
    return taken;
  } catch (...) {
    forget(where);
    throw;
  }
}

namespace {

/// Ends a share; strikes it out at `place`, if there is one, right before.
void end_share(offset where, offset* place) noexcept {
  const auto strike_out = [place] {
    if (place != nullptr)
      std::atomic_ref{*place}.store(0, std::memory_order_seq_cst);
  };
  auto& memory = run_memory::current();
  if (!may_be_object(where) || os::peek(memory.file(), where) == 0)
    return;
  auto& count = head_at(where)->in_flight;
  // Not the last share: nothing to bury, so no note is needed.
  for (auto seen = count.load(std::memory_order_seq_cst); seen > 1;) {
    strike_out();
    if (count.compare_exchange_weak(seen, seen - 1, std::memory_order_seq_cst))
      return;
  }
  auto& table = hold_table::of_this_process();
  std::uint32_t entry = 0;
  bool noted = false;
  try {
    const std::scoped_lock guard{own_row_mutex()};
    entry = table.take_entry("forget a handle");
    noted = true;
    hold_table::note(entry, where);
    TROUPE_CRASH_POINT("memory.forget.noted");
  } catch (const std::exception&) {
    // Without a note, a crash in here leaves the object until the run ends.
  }
  strike_out();
  auto seen = count.load(std::memory_order_seq_cst);
  while (seen != 0
         && !count.compare_exchange_weak(seen, seen - 1,
                                         std::memory_order_seq_cst)) {
  }
  TROUPE_CRASH_POINT("memory.forget.counted");
  bury_if_unheld(where, memory.self().index);
  if (noted) {
    const std::scoped_lock guard{own_row_mutex()};
    table.give_entry_back(entry);
  }
}

} // namespace

void forget(offset where) noexcept {
  end_share(where, nullptr);
}

void forget_at(offset& place) noexcept {
  end_share(place, &place);
}

void release_holdings(std::uint32_t index) noexcept {
  auto& memory = run_memory::current();
  auto& slot = memory.slot(index);
  auto* entries = memory.holdings(index);
  settle_ledger(index);
  const auto high = std::min(slot.holdings_high.load(std::memory_order_acquire),
                             memory.header().handles);
  for (std::uint32_t entry = 0; entry < high; ++entry) {
    const auto where = entries[entry].load(std::memory_order_acquire);
    if (where == 0)
      continue;
    if (may_be_object(where)) {
      auto* object = head_at(where);
      finish_burial(where, index);
      if (object->magic.load(std::memory_order_acquire) != 0
          && is_holder(object, index)) {
        const auto operations
          = operations_of(static_cast<object_kind>(object->kind));
        if (operations.holder_died != nullptr)
          operations.holder_died(object->bytes(), object->size, index);
        clear_holder(object, index);
        TROUPE_CRASH_POINT("memory.release.cleared");
      }
      bury_if_unheld(where, index);
    }
    TROUPE_CRASH_POINT("memory.release.buried");
    entries[entry].store(0, std::memory_order_release);
  }
  // The first page stays, warm for the next process of this slot.
  const auto page = os::page_size();
  const auto size = round_up(std::uint64_t{high} * sizeof(offset), page);
  if (size > page)
    os::punch_hole(memory.file(), memory.offset_of(entries) + page,
                   size - page);
  slot.holdings_high.store(0, std::memory_order_release);
}

void start_without_holdings() noexcept {
  auto& table = hold_table::of_this_process();
  table.holds.clear();
  table.free_entries.clear();
  table.high = 0;
}

} // namespace troupe::memory
