// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/reference.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::memory {

namespace {

constexpr std::uint64_t dead_bit = 1;
constexpr std::uint64_t one_attach = 1ULL << 17;

constexpr std::uint64_t death_by(std::uint32_t slot) noexcept {
  return (std::uint64_t{slot} << 1) | dead_bit;
}

object_header* head_at(offset where) noexcept {
  return reinterpret_cast<object_header*>(run_memory::current().at(where));
}

void set_holder(object_header* object, std::uint32_t slot) noexcept {
  object->holders()[slot / 64].fetch_or(1ULL << (slot % 64),
                                        std::memory_order_seq_cst);
}

void clear_holder(object_header* object, std::uint32_t slot) noexcept {
  object->holders()[slot / 64].fetch_and(~(1ULL << (slot % 64)),
                                         std::memory_order_seq_cst);
}

bool is_held(object_header* object) noexcept {
  if (object->in_flight.load(std::memory_order_seq_cst) != 0)
    return true;
  const auto words = run_memory::current().header().slots / 64;
  for (std::uint32_t word = 0; word < words; ++word)
    if (object->holders()[word].load(std::memory_order_seq_cst) != 0)
      return true;
  return false;
}

/// Gives the memory of a dead object back. Safe to do again for an object
/// whose undertaker was killed on the way.
void bury(offset where, object_header* object) noexcept {
  auto& memory = run_memory::current();
  const auto reserved = object->reserved;
  if (object->magic.exchange(0, std::memory_order_acq_rel) != 0) {
    const auto operations
      = operations_of(static_cast<object_kind>(object->kind));
    if (operations.dispose != nullptr)
      operations.dispose(object->bytes(), object->size);
    memory.header().reserved.fetch_sub(reserved, std::memory_order_relaxed);
  }
  if (reserved != 0)
    os::punch_hole(memory.file(), where, reserved);
}

/// Frees the object if nobody holds it and no message carries it. `slot` is
/// the process that gave it up: should it die while burying, whoever confirms
/// its death finds its number in `life` and does the rest.
void bury_if_unheld(offset where, object_header* object,
                    std::uint32_t slot) noexcept {
  for (;;) {
    // An attach sets its bit first and then adds to `life`. So either the scan
    // sees the bit, or the exchange below fails because `life` moved, or the
    // attach comes after the exchange and finds the object dead.
    auto life = object->life.load(std::memory_order_seq_cst);
    if ((life & dead_bit) != 0
        || object->magic.load(std::memory_order_acquire) == 0
        || is_held(object))
      return;
    if (object->life.compare_exchange_strong(life, life | death_by(slot),
                                             std::memory_order_seq_cst))
      break;
  }
  bury(where, object);
}

bool was_burying(object_header* object, std::uint32_t slot) noexcept {
  constexpr auto undertaker = one_attach - 1;
  return (object->life.load(std::memory_order_acquire) & undertaker)
         == death_by(slot);
}

std::uint64_t own_creator(run_memory& memory, std::uint32_t index) noexcept {
  return slot_id{index, memory.slot(index).generation.load()}.packed();
}

std::string at_text(offset where) {
  return "the object at offset " + std::to_string(where);
}

} // namespace

/// What the calling process holds: by offset, and in its table in the run's
/// memory, where whoever confirms its death looks.
struct hold_table {
  std::mutex mutex;
  std::unordered_map<offset, std::weak_ptr<reference::hold>> holds;
  std::vector<std::uint32_t> free_entries;
  std::uint32_t high = 0;

  static hold_table& of_this_process() {
    // Never destroyed, for the sake of handles in static variables.
    static auto& table = *new hold_table;
    return table;
  }

  /// Notes in the run's memory that this process is about to hold `where`.
  std::uint32_t note(offset where, const char* attempted) {
    auto& memory = run_memory::current();
    std::uint32_t entry = 0;
    if (!free_entries.empty()) {
      entry = free_entries.back();
      free_entries.pop_back();
    } else if (high < memory.header().handles) {
      entry = high++;
      memory.own_slot().holdings_high.store(high, std::memory_order_release);
    } else {
      throw limit_reached(attempted,
                          "this process holds "
                            + std::to_string(high)
                            + " different objects already",
                          "drop handles or raise limits::handles");
    }
    memory.holdings(memory.self().index)[entry].store(
      where, std::memory_order_seq_cst);
    return entry;
  }

  void unnote(std::uint32_t entry) noexcept {
    auto& memory = run_memory::current();
    memory.holdings(memory.self().index)[entry].store(
      0, std::memory_order_release);
    free_entries.push_back(entry);
  }

  std::shared_ptr<reference::hold> adopt(offset where, object_header* object,
                                         std::uint32_t entry) {
    auto taken = std::make_shared<reference::hold>(where, object);
    taken->entry = entry;
    taken->owner = static_cast<std::uint64_t>(os::this_pid());
    holds[where] = taken;
    return taken;
  }
};

reference reference::create(object_kind kind, std::uint64_t size) {
  auto& memory = run_memory::current();
  auto& header = memory.header();
  const auto payload = round_up(
    sizeof(object_header) + std::uint64_t{header.slots} / 8, cache_line);
  if (size > header.size)
    throw limit_reached("create a shared object of " + std::to_string(size)
                          + " bytes",
                        "the run has an address space of "
                          + std::to_string(header.size) + " bytes",
                        "raise limits::address_space");
  const auto reserved = round_up(payload + size, os::page_size());
  if (header.reserved.fetch_add(reserved, std::memory_order_relaxed) + reserved
      > header.memory_limit) {
    header.reserved.fetch_sub(reserved, std::memory_order_relaxed);
    throw limit_reached("create a shared object of " + std::to_string(size)
                          + " bytes",
                        "the run may reserve "
                          + std::to_string(header.memory_limit)
                          + " bytes of memory and has "
                          + std::to_string(header.reserved.load()),
                        "drop handles, drain queues, or raise limits::memory");
  }
  const auto where = header.next.fetch_add(reserved,
                                           std::memory_order_acq_rel);
  if (where + reserved > header.size) {
    // The counter stays beyond the end: every later creation is refused too,
    // and address space is not reused by promise.
    header.next.fetch_sub(reserved, std::memory_order_acq_rel);
    header.reserved.fetch_sub(reserved, std::memory_order_relaxed);
    throw limit_reached("create a shared object of " + std::to_string(size)
                          + " bytes",
                        "the run has used up its address space of "
                          + std::to_string(header.size) + " bytes",
                        "raise limits::address_space");
  }
  auto& table = hold_table::of_this_process();
  const std::scoped_lock guard{table.mutex};
  std::uint32_t entry = 0;
  try {
    entry = table.note(where, "create a shared object");
  } catch (...) {
    header.reserved.fetch_sub(reserved, std::memory_order_relaxed);
    throw;
  }
  auto* object = head_at(where);
  // First what an undertaker needs, last what makes it an object.
  object->creator = memory.self().packed();
  object->size = size;
  object->payload = payload;
  object->kind = static_cast<std::uint32_t>(kind);
  object->reserved = reserved;
  set_holder(object, memory.self().index);
  // release: pairs with the acquire in find_object.
  object->magic.store(magic_of(kind), std::memory_order_release);
  return reference{table.adopt(where, object, entry)};
}

reference reference::attach(offset where, object_kind kind) {
  auto& table = hold_table::of_this_process();
  auto& memory = run_memory::current();
  const std::scoped_lock guard{table.mutex};
  auto* object = memory.find_object(where, kind);
  if (object == nullptr)
    throw stale_handle("attach " + at_text(where),
                       "no living object of that kind is there",
                       "keep a handle until the other side has its own");
  if (const auto found = table.holds.find(where); found != table.holds.end())
    if (auto taken = found->second.lock())
      return reference{std::move(taken)};
  const auto entry = table.note(where, "attach a shared object");
  set_holder(object, memory.self().index);
  const auto life = object->life.fetch_add(one_attach,
                                           std::memory_order_seq_cst);
  if ((life & dead_bit) != 0
      || object->magic.load(std::memory_order_acquire) != magic_of(kind)) {
    clear_holder(object, memory.self().index);
    table.unnote(entry);
    throw stale_handle("attach " + at_text(where),
                       "its last holder gave it up meanwhile",
                       "keep a handle until the other side has its own");
  }
  return reference{table.adopt(where, object, entry)};
}

reference::hold::~hold() {
  // A child that the user forked has a copy of this hold, not a hold.
  if (owner != static_cast<std::uint64_t>(os::this_pid()))
    return;
  auto& table = hold_table::of_this_process();
  const std::scoped_lock guard{table.mutex};
  // Another thread may have attached anew since the count went to zero; then
  // the bit is its, and only the entry of this hold goes.
  const auto found = table.holds.find(where);
  const bool last = found == table.holds.end() || found->second.expired();
  if (last) {
    if (found != table.holds.end())
      table.holds.erase(found);
    const auto self = run_memory::current().self().index;
    clear_holder(head, self);
    bury_if_unheld(where, head, self);
  }
  table.unnote(entry);
}

offset send(const reference& object) noexcept {
  auto* head = head_at(object.where());
  head->in_flight.fetch_add(1, std::memory_order_seq_cst);
  return object.where();
}

reference receive(offset where, object_kind kind) {
  auto taken = reference::attach(where, kind);
  forget(where);
  return taken;
}

void forget(offset where) noexcept {
  auto& memory = run_memory::current();
  const auto& header = memory.header();
  if (where < header.objects || where >= header.next.load() || where % 4096 != 0)
    return;
  auto* object = head_at(where);
  if (object->magic.load(std::memory_order_acquire) == 0)
    return;
  auto count = object->in_flight.load(std::memory_order_seq_cst);
  while (count != 0
         && !object->in_flight.compare_exchange_weak(
           count, count - 1, std::memory_order_seq_cst)) {
  }
  if (count == 1)
    bury_if_unheld(where, object, memory.self().index);
}

void release_holdings(std::uint32_t index) noexcept {
  auto& memory = run_memory::current();
  auto* entries = memory.holdings(index);
  const auto high = std::min(
    memory.slot(index).holdings_high.load(std::memory_order_acquire),
    memory.header().handles);
  for (std::uint32_t entry = 0; entry < high; ++entry) {
    const auto where = entries[entry].load(std::memory_order_acquire);
    if (where == 0)
      continue;
    if (where >= memory.header().objects
        && where < memory.header().next.load(std::memory_order_acquire)
        && where % 4096 == 0) {
      auto* object = head_at(where);
      if (was_burying(object, index)) {
        bury(where, object);
      } else if (object->magic.load(std::memory_order_acquire) != 0) {
        const auto operations
          = operations_of(static_cast<object_kind>(object->kind));
        if (operations.holder_died != nullptr)
          operations.holder_died(object->bytes(), object->size, index);
        clear_holder(object, index);
        bury_if_unheld(where, object, index);
      } else if (object->reserved != 0
                 && object->creator == own_creator(memory, index)) {
        // It died before it had finished making the object.
        bury(where, object);
      }
    }
    entries[entry].store(0, std::memory_order_release);
  }
  memory.slot(index).holdings_high.store(0, std::memory_order_release);
}

void start_without_holdings() noexcept {
  auto& table = hold_table::of_this_process();
  table.holds.clear();
  table.free_entries.clear();
  table.high = 0;
}

} // namespace troupe::memory
