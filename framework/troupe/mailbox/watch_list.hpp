// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::mailbox {

/// Which processes want to be notified when something changes here: one bit
/// for each slot of the process table, or for the first ones. Part of a shared
/// object; all zero is nobody. The bits stand somewhere behind it, in the same
/// object.
///
/// # What a crash leaves
/// The bit of a dead process, until whoever confirms the death calls `remove`;
/// or a count that is too high, which costs a look at the bits per change.
class watch_list {
public:
  /// Returns whether there may be watchers.
  [[nodiscard]] bool any() const noexcept {
    // seq_cst: pairs with the count in add, as in waiting_room.
    return count_.load(std::memory_order_seq_cst) != 0;
  }

  void add(std::atomic<std::uint64_t>* bits, std::uint32_t slot) noexcept;

  void remove(std::atomic<std::uint64_t>* bits, std::uint32_t slot) noexcept;

  /// Notifies all watchers.
  void notify(const std::atomic<std::uint64_t>* bits) const noexcept;

  /// The same where there are bits only in the first `words`.
  void notify(const std::atomic<std::uint64_t>* bits,
              std::uint32_t words) const noexcept;

private:
  // seq_cst: `add` counts before the watcher looks; `any` reads after a change.
  std::atomic<std::uint32_t> count_{0};
};

} // namespace troupe::mailbox
