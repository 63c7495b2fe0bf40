// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/process_slot.hpp>

#include <troupe/os/crash_point.hpp>

namespace troupe::memory {

namespace {

constexpr std::uint32_t sleeping = 1;

} // namespace

void ring(process_slot& slot) noexcept {
  auto seen = slot.bell.load(std::memory_order_relaxed);
  // seq_cst: the work that is announced must be visible before the bell, and
  // the sleeper's bit before its last look for work.
  while (!slot.bell.compare_exchange_weak(seen, (seen + 2) & ~sleeping,
                                          std::memory_order_seq_cst)) {
  }
  if ((seen & sleeping) == 0)
    return;
  TROUPE_CRASH_POINT("memory.ring.answered");
  os::wake_all(slot.bell);
}

void ring_for_death(process_slot& slot) noexcept {
  slot.bell.fetch_add(2, std::memory_order_seq_cst);
  os::wake_all(slot.bell);
}

bool wait_for_ring(process_slot& slot, std::uint32_t seen,
                   deadline limit) noexcept {
  auto expected = seen & ~sleeping;
  // Another thread of this process may sleep already.
  if (!slot.bell.compare_exchange_strong(expected, expected | sleeping,
                                         std::memory_order_seq_cst)
      && expected != (seen | sleeping))
    return true;
  return os::wait(slot.bell, (seen | sleeping), limit);
}

} // namespace troupe::memory
