// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/shares.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>

namespace troupe::transport {

namespace {

/// Tables are objects of this kind.
constexpr memory::object_kind table_kind{901};

/// Objects begin on pages, so that the number of one fits into 32 bits.
constexpr std::uint64_t unit = 4096;

enum : std::uint64_t { free_place = 0, taken = 1, given_up = 2, states = 4 };

share_table* table_at(memory::offset where) noexcept {
  auto* head = memory::run_memory::current().find_object(where, table_kind);
  return head == nullptr || head->size < sizeof(share_table)
           ? nullptr
           : reinterpret_cast<share_table*>(head->bytes());
}

/// The table of a process; empty if it has none or is gone.
memory::reference table_of(memory::slot_id process) {
  auto* slot = memory::run_memory::current().find(process);
  if (slot == nullptr)
    return {};
  const auto page = slot->transport_state.load(std::memory_order_acquire);
  if (page == 0)
    return {};
  try {
    auto found = memory::reference::attach(page * unit, table_kind);
    if (found.size() < sizeof(share_table)
        || found.as<share_table>()->owner.load() != process.packed())
      return {};
    return found;
  } catch (const stale_handle&) {
    return {};
  }
}

/// The last holder of a share is gone.
void dispose(std::byte* payload, std::uint64_t size) noexcept {
  if (size < sizeof(actor_share))
    return;
  const auto& share = *reinterpret_cast<const actor_share*>(payload);
  auto* table = table_at(share.table);
  if (table == nullptr || share.place >= share_table::size
      || share.mark % states != taken)
    return;
  // Once only, though it may be called again: a place has each mark only once.
  auto expected = share.mark;
  table->places[share.place].state.compare_exchange_strong(
    expected, share.mark - taken + given_up, std::memory_order_acq_rel);
  TROUPE_CRASH_POINT("transport.share.given_up");
  table->given_up.fetch_add(1, std::memory_order_release);
  const auto owner = memory::slot_id::unpacked(table->owner.load());
  if (auto* slot = memory::run_memory::current().find(owner))
    memory::ring(*slot);
}

const bool registered = memory::register_kind(share_kind, {.dispose = dispose});

} // namespace

shares::shares()
  : table_(memory::reference::create(table_kind, sizeof(share_table))) {
  auto& memory = memory::run_memory::current();
  table_.as<share_table>()->owner.store(memory.self().packed());
  // release: pairs with the acquire in `table_of`.
  memory.own_slot().transport_state.store(static_cast<std::uint32_t>(
                                            table_.where() / unit),
                                          std::memory_order_release);
}

memory::reference shares::make(actor_name of) {
  static_cast<void>(registered);
  const auto found = table_of(of.process);
  if (!found)
    return {};
  auto* table = found.as<share_table>();
  for (std::uint64_t place = 0; place < share_table::size; ++place) {
    auto& at = table->places[place];
    auto state = at.state.load(std::memory_order_relaxed);
    if (state % states != free_place)
      continue;
    // The owner looks at no place above `high`, so that comes first; and the
    // actor last, since another may have been quicker.
    auto high = table->high.load(std::memory_order_relaxed);
    while (high <= place
           && !table->high.compare_exchange_weak(high, place + 1,
                                                 std::memory_order_acq_rel)) {
    }
    if (!at.state.compare_exchange_strong(state, state + taken,
                                          std::memory_order_acq_rel))
      continue;
    at.actor.store(of.actor, std::memory_order_release);
    TROUPE_CRASH_POINT("transport.share.entered");
    try {
      auto made = memory::reference::create(share_kind, sizeof(actor_share));
      *made.as<actor_share>() = {found.where(), place, state + taken};
      return made;
    } catch (...) {
      at.actor.store(0);
      at.state.store(state + states, std::memory_order_release);
      throw;
    }
  }
  return {};
}

bool shares::any_of(caf::actor_id actor) const noexcept {
  const auto* table = table_.as<share_table>();
  const auto high = std::min<std::uint64_t>(table->high.load(),
                                            share_table::size);
  return std::any_of(
    table->places, table->places + high, [actor](const share_place& each) {
      return each.state.load(std::memory_order_acquire) % states == taken
             && each.actor.load() == actor;
    });
}

std::vector<caf::actor_id> shares::take_given_up() {
  auto* table = table_.as<share_table>();
  seen_ = table->given_up.load(std::memory_order_acquire);
  std::vector<caf::actor_id> result;
  const auto high = std::min<std::uint64_t>(table->high.load(),
                                            share_table::size);
  for (std::uint64_t place = 0; place < high; ++place) {
    auto& at = table->places[place];
    auto state = at.state.load(std::memory_order_acquire);
    if (state % states != given_up)
      continue;
    // Whoever takes the place next shows no actor before its own.
    result.push_back(at.actor.exchange(0));
    at.state.store(state - given_up + states, std::memory_order_release);
  }
  return result;
}

bool shares::has_dealt_with(memory::slot_id process, std::uint32_t count) {
  const auto found = table_of(process);
  return !found
         || static_cast<std::int32_t>(
              found.as<share_table>()->deaths.load(std::memory_order_acquire)
              - count)
              >= 0;
}

} // namespace troupe::transport
