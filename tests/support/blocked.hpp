// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/eventually.hpp>

#include <troupe/inspection/snapshot.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/wait_row.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::test {

using memory::wait_kind;

/// Returns how many threads in `seen` sleep, or are about to, in a wait of
/// `kind` that `matches` says yes to.
template <class Matches>
[[nodiscard]] std::size_t blocked_threads(const inspection::snapshot& seen,
                                          wait_kind kind, Matches matches) {
  return static_cast<std::size_t>(
    std::count_if(seen.waits.begin(), seen.waits.end(), [&](const auto& each) {
      return each.kind == kind && !each.woken && matches(each);
    }));
}

/// Waits, under a watchdog, until there are `count` such threads. A look costs
/// some hundred microseconds: who looks all the time keeps others, which are to
/// sleep, from it.
template <class Matches>
[[nodiscard]] bool
await_threads(std::size_t count, wait_kind kind, Matches matches) {
  return eventually(
    [&] {
      const auto seen = inspection::here();
      const auto of_seen = [&](const auto& each) {
        return matches(seen, each);
      };
      return blocked_threads(seen, kind, of_seen) >= count;
    },
    std::chrono::seconds{20}, std::chrono::milliseconds{1});
}

/// Waits, under a watchdog, until a thread sleeps, or is about to, in a wait of
/// `kind`. `thread` is its number for the kernel: that of a process is its main
/// thread's.
[[nodiscard]] inline bool await_blocked(std::int32_t thread, wait_kind kind) {
  return await_threads(1, kind, [&](const auto&, const auto& each) {
    return each.thread == thread;
  });
}

/// The same for any thread of process `pid`.
[[nodiscard]] inline bool await_blocked_in(std::int32_t pid, wait_kind kind) {
  return await_threads(1, kind, [&](const auto& seen, const auto& each) {
    const auto* of = seen.process(each.slot);
    return of != nullptr && of->pid == pid;
  });
}

/// Waits, under a watchdog, until as many threads as `count` sleep, or are
/// about to, in a wait of `kind` for this object.
[[nodiscard]] inline bool await_blocked_on(memory::object_id object,
                                           wait_kind kind,
                                           std::size_t count = 1) {
  return await_threads(count, kind, [&](const auto&, const auto& each) {
    return std::any_of(each.targets.begin(), each.targets.end(),
                       [&](const auto& target) {
                         return target.object == object;
                       });
  });
}

} // namespace troupe::test
