// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/burial.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>

namespace troupe::memory {

namespace {

constexpr std::uint64_t death_by(std::uint32_t row) noexcept {
  return (std::uint64_t{row} << 1) | 1;
}

std::uint32_t holder_words() noexcept {
  // One more than the slots need, for the row behind the last slot.
  return run_memory::current().header().slots / 64 + 1;
}

bool is_held(object_header* object) noexcept {
  // First the bits and then the messages: who sends holds a bit while it
  // counts the message, and may drop the bit only afterwards. [send]
  const auto words = holder_words();
  for (std::uint32_t word = 0; word < words; ++word)
    if (object->holders()[word].load(std::memory_order_seq_cst) != 0)
      return true;
  return object->in_flight.load(std::memory_order_seq_cst) != 0;
}

std::uint64_t head_size() noexcept {
  return round_up(sizeof(object_header) + std::uint64_t{holder_words()} * 8,
                  os::page_size());
}

void punch(offset where, std::uint64_t size) noexcept {
  const auto file = run_memory::current().file();
  const auto head = head_size();
  // The head last: while it stands, it says how much there is to give back.
  if (size > head)
    os::punch_hole(file, where + head, size - head);
  TROUPE_CRASH_POINT("memory.bury.half_punched");
  os::punch_hole(file, where, head);
}

/// Takes the object out of the ledger, in the name of `row`. [ledger]
void strike(offset where, object_header* object, std::uint32_t row) noexcept {
  auto& memory = run_memory::current();
  std::unique_lock<std::mutex> guard;
  if (row == memory.self().index)
    guard = std::unique_lock{own_row_mutex()};
  auto& ledger = memory.ledger(row);
  ledger.begin(where, -static_cast<std::int64_t>(object->reserved));
  TROUPE_CRASH_POINT("memory.bury.striking");
  object->accounted.store(0, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("memory.bury.struck");
  ledger.end();
}

/// Gives the memory of a dead object back. Every step may be done again by
/// whoever goes on after a crash, and none is done by two at a time: `life`
/// names the row in whose name it is done.
void bury(offset where, object_header* object, std::uint32_t row) noexcept {
  TROUPE_CRASH_POINT("memory.bury.decided");
  const auto reserved = object->reserved;
  if (object->magic.load(std::memory_order_acquire) != 0) {
    const auto operations
      = operations_of(static_cast<object_kind>(object->kind));
    if (operations.dispose != nullptr)
      operations.dispose(object->bytes(), object->size);
  }
  if (object->accounted.load(std::memory_order_acquire) != 0)
    strike(where, object, row);
  // release: who sees zero here and no death in `life` sees the punched page.
  object->magic.store(0, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.bury.silent");
  punch(where, reserved);
}

} // namespace

std::mutex& own_row_mutex() noexcept {
  // Never destroyed, for the sake of handles in static variables.
  static auto& mutex = *new std::mutex;
  return mutex;
}

object_header* head_at(offset where) noexcept {
  return reinterpret_cast<object_header*>(run_memory::current().at(where));
}

bool may_be_object(offset where) noexcept {
  const auto& header = run_memory::current().header();
  return where >= header.objects
         && where < header.next.load(std::memory_order_acquire)
         && where % 4096 == 0;
}

void set_holder(object_header* object, std::uint32_t row) noexcept {
  object->holders()[row / 64].fetch_or(1ULL << (row % 64),
                                       std::memory_order_seq_cst);
}

void clear_holder(object_header* object, std::uint32_t row) noexcept {
  object->holders()[row / 64].fetch_and(~(1ULL << (row % 64)),
                                        std::memory_order_seq_cst);
}

bool is_holder(object_header* object, std::uint32_t row) noexcept {
  return (object->holders()[row / 64].load(std::memory_order_acquire)
          & (1ULL << (row % 64)))
         != 0;
}

void bury_if_unheld(offset where, std::uint32_t row) noexcept {
  auto* object = head_at(where);
  for (;;) {
    // An attach sets its bit first and then adds to `life`. So either the scan
    // sees the bit, or the exchange below fails because `life` moved, or the
    // attach comes after the exchange and finds the object dead. [attach]
    auto life = object->life.load(std::memory_order_seq_cst);
    if (is_dead(life) || object->magic.load(std::memory_order_acquire) == 0
        || is_held(object)) {
      give_back_if_gone(where);
      return;
    }
    if (object->life.compare_exchange_strong(life, life | death_by(row),
                                             std::memory_order_seq_cst))
      break;
  }
  bury(where, object, row);
}

void finish_burial(offset where, std::uint32_t row) noexcept {
  auto* object = head_at(where);
  const auto life = object->life.load(std::memory_order_acquire);
  const bool was_undertaker = (life & (one_attach - 1)) == death_by(row);
  // Accounted, but never published: it died while it made the object. Nobody
  // else can have that offset.
  const bool was_creator
    = object->magic.load(std::memory_order_acquire) == 0 && !is_dead(life)
      && object->accounted.load(std::memory_order_acquire) != 0;
  if (was_undertaker || was_creator)
    bury(where, object, row);
}

void give_back_if_gone(offset where) noexcept {
  auto* object = head_at(where);
  // acquire: pairs with the release in `bury`. The magic goes first, then the
  // whole page with the mark of death: neither magic nor mark means punched.
  if (object->magic.load(std::memory_order_acquire) == 0
      && !is_dead(object->life.load(std::memory_order_seq_cst)))
    punch(where, 0);
}

void settle_ledger(std::uint32_t row) noexcept {
  auto& ledger = run_memory::current().ledger(row);
  const auto where = ledger.where.load(std::memory_order_acquire);
  if (where == 0)
    return;
  const auto amount = ledger.amount.load(std::memory_order_relaxed);
  auto* object = head_at(where);
  if (amount > 0) {
    // A creation, not published: nobody else knows the object.
    punch(where, static_cast<std::uint64_t>(amount));
    ledger.undo();
  } else {
    ledger.redo();
    object->accounted.store(0, std::memory_order_relaxed);
    ledger.end();
  }
}

} // namespace troupe::memory
