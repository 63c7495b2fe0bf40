// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/late_object.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <cstdint>

namespace troupe::memory {

namespace {

reference attach_if_there(object_id id, object_kind kind) {
  if (id == 0)
    return {};
  try {
    return reference::attach(id, kind);
  } catch (const stale_handle&) {
    return {};
  }
}

} // namespace

std::byte* late_object::find() const noexcept {
  // acquire: pairs with the release in set_ready.
  const auto id = ready.load(std::memory_order_acquire);
  if (id == 0)
    return nullptr;
  auto& memory = run_memory::current();
  return memory.payload_of(memory.head_of(id));
}

std::byte* late_object::find_owned(object_kind kind) const noexcept {
  const auto id = named.load(std::memory_order_seq_cst);
  const auto index = head_number(id);
  if (id == 0 || !head_table::is_in_use(index))
    return nullptr;
  auto& memory = run_memory::current();
  auto* const head = memory.head_of(id);
  // The flags first: if the object is there afterwards they are its own, for it
  // was there when it was named.
  const auto flags = head->flags.load(std::memory_order_seq_cst);
  if ((flags & object_head::is_owned) != 0 && is_object(head, id, kind))
    return memory.payload_of(head);
  head_table::looked_at(index);
  return nullptr;
}

reference late_object::claim(object_kind kind,
                             reference (*make)(const void* context),
                             const void* context) {
  for (;;) {
    auto before = named.load(std::memory_order_seq_cst);
    auto held = attach_if_there(before, kind);
    if (!held) {
      held = make(context);
      TROUPE_CRASH_POINT("memory.late.made");
      // What was named has ended with its maker, or nothing was.
      if (!named.compare_exchange_strong(before, held.id(),
                                         std::memory_order_seq_cst))
        continue;
      TROUPE_CRASH_POINT("memory.late.named");
    }
    // As it lives, nobody names another one.
    own(named, held);
    TROUPE_CRASH_POINT("memory.late.owned");
    return held;
  }
}

void late_object::set_ready() noexcept {
  // release: pairs with the acquire in find.
  ready.store(named.load(std::memory_order_relaxed), std::memory_order_release);
}

void late_object::give_up() noexcept {
  ready.store(0, std::memory_order_relaxed);
  disown(named);
}

} // namespace troupe::memory
