// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::mailbox {

/// Tells a process that something was published for it. Costs a fence where
/// the process is awake, and a system call where it sleeps.
inline void notify_if_asleep(memory::process_slot& slot) noexcept {
  // Pairs with the fetch_or in `sleep_until_notified`: either we see its bit,
  // or its last look sees what we published.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((slot.wake_word.load(std::memory_order_relaxed) & 1) != 0)
    memory::notify(slot);
}

/// Sleeps until `slot`, the calling process's own, is notified.
/// Returns at once where `has_work` holds. May return for no reason.
template <class HasWork>
void sleep_until_notified(memory::process_slot& slot, HasWork has_work,
                          deadline limit) noexcept {
  const auto seen = slot.wake_word.fetch_or(1, std::memory_order_seq_cst) | 1;
  if (!has_work())
    static_cast<void>(memory::warm_memory::wait(slot.wake_word, seen, limit));
}

/// The same; `note` says what for.
template <class HasWork>
void sleep_until_notified(memory::process_slot& slot, HasWork has_work,
                          deadline limit, memory::wait_note& note) noexcept {
  const auto seen = slot.wake_word.fetch_or(1, std::memory_order_seq_cst) | 1;
  if (has_work())
    return;
  note.sleeps(slot.wake_word, seen);
  static_cast<void>(memory::warm_memory::wait(slot.wake_word, seen, limit));
}

} // namespace troupe::mailbox
