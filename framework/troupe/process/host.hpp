// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

namespace troupe::hosting {

/// Makes the calling, freshly forked or executed process the one of `slot`:
/// claims the slot, hangs the process on the life-line, runs the function that
/// the slot names, and exits. Ends at once, silently, if another process has
/// claimed the slot first.
[[noreturn]] void run_host(memory::slot_id slot);

/// Whether the calling process has begun to end its children: from then on it
/// starts no more.
[[nodiscard]] bool is_ending() noexcept;

/// Ends what the calling process has started, as its documentation promises:
/// daemons are terminated, then killed after the run's grace; the others are
/// waited for. The root waits for every process of the run.
void end_children() noexcept;

} // namespace troupe::hosting
