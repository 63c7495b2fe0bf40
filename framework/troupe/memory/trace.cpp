// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/trace.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>

#include <chrono>

namespace troupe::memory {

void trace(trace_kind kind, std::uint32_t detail,
           std::uint64_t value) noexcept {
  trace_of(run_memory::current().self().index, os::this_thread_id(), kind,
           detail, value);
}

void trace_of(std::uint32_t slot, std::int32_t thread, trace_kind kind,
              std::uint32_t detail, std::uint64_t value) noexcept {
  auto& memory = run_memory::current();
  auto& header = memory.header();
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  auto until = header.trace_until.load(std::memory_order_relaxed);
  if (now >= until) {
    // Whoever traced is gone.
    header.trace_until.compare_exchange_strong(until, 0,
                                               std::memory_order_relaxed);
    return;
  }
  const auto number = header.traced.fetch_add(1, std::memory_order_relaxed);
  auto& event = memory.event_at(number % trace_ring::count);
  event.number.store(0, std::memory_order_relaxed);
  // Pairs with the second look of who reads a copy: one that has found what
  // comes next finds that 0, too.
  std::atomic_thread_fence(std::memory_order_release);
  event.when.store(now, std::memory_order_relaxed);
  event.who.store((std::uint64_t{slot} << 32)
                    | static_cast<std::uint32_t>(thread),
                  std::memory_order_relaxed);
  event.what.store((static_cast<std::uint64_t>(kind) << trace_event::kind_shift)
                     | (std::uint64_t{detail & 0xFF}
                        << trace_event::detail_shift)
                     | (value & trace_event::most_value),
                   std::memory_order_relaxed);
  // release: whoever finds the number finds the rest.
  event.number.store(number + 1, std::memory_order_release);
}

} // namespace troupe::memory
