// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/wait_word.hpp>
#include <troupe/process/lease.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::hosting {

/// Where the processes of a run find the actor by which their root does things
/// for them, which is made when the first of them asks.
///
///     0    state   a `stage`; sleep on it
///     8    actor   its id, among those of the root
///
/// Before the lease in the first page of the run's memory, zero like all that
/// nobody has written yet.
///
/// # What a crash leaves
/// Nothing: the root makes the actor, and the run ends with the root. Whoever
/// has asked and dies has asked for the others.
struct root_service {
  enum stage : std::uint32_t {
    /// This root does nothing for others.
    none,
    /// It would, if it were asked.
    offered,
    asked,
    made,
    /// It could not be made, or the root is about to end.
    over,
  };

  // release by the root in offered_service.cpp, behind `actor`; acquire by who
  // asks, which makes it `asked` by an acq_rel exchange.
  os::wait_word state;
  std::uint32_t unused;
  /// Stored before `state` says so, which publishes it: relaxed would do.
  std::atomic<std::uint64_t> actor;

  [[nodiscard]] static root_service& of_run() noexcept {
    constexpr memory::offset place = 4096 - sizeof(std::int64_t)
                                     - sizeof(root_service);
    static_assert(sizeof(memory::run_header) <= place);
    static_assert(place % alignof(root_service) == 0);
    return *reinterpret_cast<root_service*>(
      memory::run_memory::current().at(place));
  }
};

static_assert(sizeof(root_service) == 16);

} // namespace troupe::hosting
