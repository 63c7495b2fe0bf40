// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/waiting_room.hpp>

namespace troupe::mailbox {

void waiting_room::evacuate() noexcept {
  auto seen = sleepers_.load(std::memory_order_seq_cst);
  while (!sleepers_.compare_exchange_weak(seen, ((seen >> 32) + 1) << 32,
                                          std::memory_order_seq_cst)) {
  }
  bell_.fetch_add(1, std::memory_order_seq_cst);
  os::wake_all(bell_);
}

void waiting_room::leave(std::uint32_t epoch) noexcept {
  auto seen = sleepers_.load(std::memory_order_seq_cst);
  // After an evacuation we are not counted any more.
  while (static_cast<std::uint32_t>(seen >> 32) == epoch
         && static_cast<std::uint32_t>(seen) != 0
         && !sleepers_.compare_exchange_weak(seen, seen - 1,
                                             std::memory_order_seq_cst)) {
  }
}

} // namespace troupe::mailbox
