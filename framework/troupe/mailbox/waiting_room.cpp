// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/waiting_room.hpp>

#include <troupe/os/crash_point.hpp>

namespace troupe::mailbox {

std::uint32_t waiting_room::prepare_wait() noexcept {
  const auto before = sleepers_.fetch_add(1, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("mailbox.wait.prepared");
  return static_cast<std::uint32_t>(before >> 32);
}

void waiting_room::evacuate() noexcept {
  auto seen = sleepers_.load(std::memory_order_seq_cst);
  while (!sleepers_.compare_exchange_weak(seen, ((seen >> 32) + 1) << 32,
                                          std::memory_order_seq_cst)) {
  }
  wake_word_.fetch_add(1, std::memory_order_seq_cst);
  os::wake_all(wake_word_);
}

void waiting_room::leave(std::uint32_t epoch) noexcept {
  TROUPE_CRASH_POINT("mailbox.wait.woken");
  auto seen = sleepers_.load(std::memory_order_seq_cst);
  // After an evacuation we are not counted any more.
  while (static_cast<std::uint32_t>(seen >> 32) == epoch
         && static_cast<std::uint32_t>(seen) != 0
         && !sleepers_.compare_exchange_weak(seen, seen - 1,
                                             std::memory_order_seq_cst)) {
  }
}

} // namespace troupe::mailbox
