// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/pipe.hpp>
#include <troupe/process/program.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace troupe::test {

/// Around what is counted; each is a system call that the kernel refuses and
/// that a tracer knows by its argument.
void begin_counting() noexcept;
void end_counting() noexcept;

/// Which system calls are counted.
enum class counted {
  all,
  /// All but those with which a thread waits, yields, wakes one that waits, or
  /// moves to another processor when it is woken: how many of these there are
  /// depends on how busy the machine is.
  besides_waiting,
};

/// Counts the system calls that the first thread of the process `pid` makes
/// between `begin_counting` and `end_counting`; `go` lets it run there.
/// Nothing: processes may not be traced here, or this one ended before.
/// @blocks on that thread
[[nodiscard]] std::optional<std::uint64_t>
count_system_calls(int pid, const std::function<void()>& go,
                   counted which = counted::all);

template <auto Function, class... Args>
void run_counted(troupe::connection<bool> go, Args... arguments) {
  // Warm: what is made at first use is made.
  Function(arguments...);
  static_cast<void>(go.receive());
  begin_counting();
  Function(arguments...);
  end_counting();
}

/// Returns how many system calls `Function(arguments...)` makes in the thread
/// that calls it, in a process of its own, having been called once before.
/// Nothing: processes may not be traced here.
template <auto Function, counted Which = counted::all, class... Args>
[[nodiscard]] std::optional<std::uint64_t>
system_calls_of(const Args&... arguments) {
  auto [here, there] = troupe::pipe<bool>();
  auto process = troupe::start<run_counted<Function, Args...>>(std::move(there),
                                                               arguments...);
  return count_system_calls(process.pid(), [&] { here.send(true); }, Which);
}

} // namespace troupe::test
