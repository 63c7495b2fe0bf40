// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

namespace troupe::held {

/// While it lives, the call that this state executes waits for another state:
/// who waits for whom stands in the process table, and whoever would close a
/// cycle is refused.
///
///     A ──waits_for──▶ B ──waits_for──▶ C ──╳  (C would wait for A)
///
/// A state executes one call at a time, so those of a cycle would wait for
/// ever, whether one call has led to the other or two clients began at both
/// ends.
///
/// # What a crash leaves
/// The word of a dead process means nothing: its slot is of another generation
/// then.
class wait_cycle_guard {
public:
  /// Throws `would_deadlock` if `callee`, or whom it waits for in the end,
  /// waits for this process.
  explicit wait_cycle_guard(memory::slot_id callee);
  wait_cycle_guard(const wait_cycle_guard&) = delete;
  wait_cycle_guard& operator=(const wait_cycle_guard&) = delete;
  ~wait_cycle_guard();

  /// To be called before the answer to such a call is sent: `client` does not
  /// wait for this process any more.
  static void answered(std::uint64_t client) noexcept;
};

} // namespace troupe::held
