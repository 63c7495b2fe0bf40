// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/shares.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>

namespace troupe::transport {

namespace {

using memory::object_kind;
using memory::run_memory;

/// The table of a process; empty if it has none or is gone.
memory::reference table_of(memory::slot_id process) {
  const auto* slot = run_memory::current().find(process);
  if (slot == nullptr)
    return {};
  const auto id = slot->share_table.load(std::memory_order_acquire);
  if (id == 0)
    return {};
  try {
    auto found = memory::reference::attach(id, object_kind::share_table);
    // The slot may be another process's by now.
    if (found.as<share_table>()->owner.load() != process.packed())
      return {};
    return found;
  } catch (const stale_handle&) {
    return {};
  }
}

/// The last holder of a share is gone. Its table says by itself that it has
/// ended; the owner has only to look. Told twice, or to a later process in the
/// owner's slot, it looks in vain.
void dispose(std::byte* payload, std::uint64_t) noexcept {
  TROUPE_CRASH_POINT("transport.share.ended");
  const auto owner
    = memory::slot_id::unpacked(reinterpret_cast<actor_share*>(payload)->owner);
  auto* slot = run_memory::current().find(owner);
  if (slot == nullptr)
    return;
  slot->shares_ended.fetch_add(1, std::memory_order_release);
  memory::notify(*slot);
}

const bool registered = memory::register_kind(object_kind::share,
                                              {.dispose = dispose});

bool lives(memory::object_id share) noexcept {
  return run_memory::current().find_object(share, object_kind::share)
         != nullptr;
}

} // namespace

shares::shares()
  : table_(
      memory::reference::create(object_kind::share_table, sizeof(share_table))),
    ended_(run_memory::current().own_slot().shares_ended),
    seen_(ended_.load()) {
  auto& memory = run_memory::current();
  table_.as<share_table>()->owner.store(memory.self().packed());
  // Nothing of those who have died before can come here.
  death_looks::done(death_looks::asked());
  // release: pairs with the acquire of whoever finds that there is a table.
  memory.own_slot().share_table.store(table_.id(), std::memory_order_release);
}

memory::reference shares::make(actor_name of) {
  static_cast<void>(registered);
  const auto found = table_of(of.process);
  if (!found)
    return {};
  auto made = memory::reference::create(object_kind::share,
                                        sizeof(actor_share));
  made.as<actor_share>()->owner = of.process.packed();
  auto* table = found.as<share_table>();
  for (std::uint64_t place = 0; place < share_table::size; ++place) {
    auto& at = table->places[place];
    if (at.share.load(std::memory_order_relaxed) != 0)
      continue;
    // The owner looks at no place above `high`, so that comes first.
    auto high = table->high.load(std::memory_order_relaxed);
    while (high <= place
           && !table->high.compare_exchange_weak(high, place + 1,
                                                 std::memory_order_acq_rel)) {
    }
    memory::object_id none = 0;
    if (!at.share.compare_exchange_strong(none, made.id(),
                                          std::memory_order_acq_rel))
      continue;
    TROUPE_CRASH_POINT("transport.share.entered");
    at.actor.store(of.actor, std::memory_order_release);
    return made;
  }
  return {};
}

bool shares::any_of(caf::actor_id actor) const noexcept {
  const auto* table = table_.as<share_table>();
  const auto high = std::min<std::uint64_t>(table->high.load(),
                                            share_table::size);
  return std::any_of(
    table->places, table->places + high, [actor](const share_place& each) {
      const auto share = each.share.load(std::memory_order_acquire);
      return share != 0 && each.actor.load(std::memory_order_acquire) == actor
             && lives(share);
    });
}

std::vector<caf::actor_id> shares::take_ended() {
  auto* table = table_.as<share_table>();
  // acquire: what was counted has ended.
  seen_ = ended_.load(std::memory_order_acquire);
  std::vector<caf::actor_id> result;
  const auto high = std::min<std::uint64_t>(table->high.load(),
                                            share_table::size);
  for (std::uint64_t place = 0; place < high; ++place) {
    auto& at = table->places[place];
    const auto share = at.share.load(std::memory_order_acquire);
    if (share == 0 || lives(share))
      continue;
    // 0 where the maker was killed before it could say; it was a holder then.
    if (const auto actor = at.actor.exchange(0))
      result.push_back(actor);
    at.share.store(0, std::memory_order_release);
  }
  return result;
}

namespace death_looks {

std::uint32_t asked() noexcept {
  // seq_cst here and in `ask`: see there.
  return run_memory::current().header().looks_asked.load(
    std::memory_order_seq_cst);
}

std::uint32_t ask() noexcept {
  auto& memory = run_memory::current();
  auto& header = memory.header();
  // The caller has seen a death before it reads this number, so whoever reads
  // the next one sees the death as well. It need not be the caller's own.
  auto seen = header.looks_asked.load(std::memory_order_seq_cst);
  const auto next = seen + 1;
  if (!header.looks_asked.compare_exchange_strong(seen, next,
                                                  std::memory_order_seq_cst))
    return next;
  const auto high = header.slots_high.load();
  for (std::uint32_t index = 0; index < high; ++index)
    if (auto& slot = memory.slot(index);
        index != memory.self().index
        && slot.current_state() == memory::slot_state::running
        && slot.share_table.load(std::memory_order_acquire) != 0)
      memory::notify(slot);
  return next;
}

void done(std::uint32_t look) noexcept {
  run_memory::current().own_slot().looks_done.store(look,
                                                    std::memory_order_release);
}

bool done_by_all(std::uint32_t look) noexcept {
  auto& memory = run_memory::current();
  const auto high = memory.header().slots_high.load();
  for (std::uint32_t index = 0; index < high; ++index) {
    auto& slot = memory.slot(index);
    if (index == memory.self().index
        || slot.current_state() != memory::slot_state::running
        || slot.share_table.load(std::memory_order_acquire) == 0)
      continue;
    const auto behind = slot.looks_done.load(std::memory_order_acquire) - look;
    if (static_cast<std::int32_t>(behind) < 0)
      return false;
  }
  return true;
}

} // namespace death_looks

} // namespace troupe::transport
