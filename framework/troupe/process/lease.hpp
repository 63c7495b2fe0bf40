// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/run_memory.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::hosting {

/// Of a run that works for another one: when it ends unless that prolongs it,
/// on `os::boot_now`. 0: it works for nobody. The fork server looks at it, too,
/// should the root stand still.
///
/// The last word of the first page of the run's memory, behind the header; zero
/// like all that nobody has written yet.
// seq_cst, and relaxed would do: the root stores it, the fork server reads it,
// and it publishes nothing.
[[nodiscard]] inline std::atomic<std::int64_t>& lease_of_run() noexcept {
  constexpr memory::offset place = 4096 - sizeof(std::int64_t);
  static_assert(sizeof(memory::run_header) <= place);
  static_assert(std::atomic<std::int64_t>::is_always_lock_free);
  return *reinterpret_cast<std::atomic<std::int64_t>*>(
    memory::run_memory::current().at(place));
}

} // namespace troupe::hosting
