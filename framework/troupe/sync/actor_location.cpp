// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/actor_location.hpp>

#include <troupe/memory/run_memory.hpp>

namespace troupe::sync {

void notify_home(const actor_location& of) noexcept {
  // acquire: pairs with the release in services::enter.
  const auto home = of.home.load(std::memory_order_acquire);
  if (home == 0)
    return;
  if (auto* const slot
      = memory::run_memory::current().find(memory::slot_id::unpacked(home)))
    memory::notify(*slot);
}

bool is_home(const actor_location& of, std::uint32_t row) noexcept {
  const auto home = of.home.load(std::memory_order_acquire);
  return home != 0 && memory::slot_id::unpacked(home).index == row;
}

} // namespace troupe::sync
