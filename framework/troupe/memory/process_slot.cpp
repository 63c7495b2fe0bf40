// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/process_slot.hpp>

#include <troupe/os/crash_point.hpp>
#include <troupe/os/processors.hpp>

namespace troupe::memory {

namespace {

constexpr std::uint32_t sleeping = 1;

} // namespace

std::string description_of(std::string_view name, std::int32_t pid) {
  return std::string{name} + " (pid " + std::to_string(pid) + ")";
}

void notify(process_slot& slot) noexcept {
  auto seen = slot.wake_word.load(std::memory_order_relaxed);
  // seq_cst: the work that is announced must be visible before the wake word,
  // and the sleeper's bit before its last look for work.
  while (!slot.wake_word.compare_exchange_weak(seen, (seen + 2) & ~sleeping,
                                               std::memory_order_seq_cst)) {
  }
  if ((seen & sleeping) == 0)
    return;
  slot.woken_from.store(os::current_processor(), std::memory_order_relaxed);
  TROUPE_CRASH_POINT("memory.ring.answered");
  os::wake_all(slot.wake_word);
}

void notify_of_death(process_slot& slot) noexcept {
  slot.wake_word.fetch_add(2, std::memory_order_seq_cst);
  os::wake_all(slot.wake_word);
}

bool wait_until_notified(process_slot& slot, std::uint32_t seen,
                         deadline limit) noexcept {
  auto expected = seen & ~sleeping;
  // Another thread of this process may sleep already.
  if (!slot.wake_word.compare_exchange_strong(expected, expected | sleeping,
                                              std::memory_order_seq_cst)
      && expected != (seen | sleeping))
    return true;
  return os::wait(slot.wake_word, (seen | sleeping), limit);
}

} // namespace troupe::memory
