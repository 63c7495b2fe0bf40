// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/counters.hpp>

#include <troupe/memory/layout.hpp>
#include <troupe/memory/origin.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>

#include <chrono>
#include <cstring>
#include <string_view>

namespace troupe::memory {

namespace {

[[maybe_unused]] const bool registered
  = register_kind(object_kind::pool, {.layout = pool_counters::layout()});

std::int64_t now() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// The counters of an object in a run that makes a report; nullptr where there
/// is no room.
object_counters* counters_of(std::uint64_t place) noexcept {
  // How far from its place an entry may stand.
  constexpr std::uint32_t farthest = 32;
  auto& memory = run_memory::current();
  const auto number = memory.head_of_place(place);
  if (number == 0)
    return nullptr;
  const auto* head = memory.head_at(number);
  const auto id = (object_id{head->generation.load(std::memory_order_relaxed)}
                   << 32)
                  | number;
  for (std::uint32_t turn = 0; turn < farthest; ++turn) {
    auto& entry
      = memory.object_counters_at((number + turn) % object_counters::count);
    std::uint64_t seen = 0;
    if (entry.object.load(std::memory_order_relaxed) != id
        && !entry.object.compare_exchange_strong(seen, id,
                                                 std::memory_order_relaxed)
        && seen != id)
      continue;
    entry.kind.store(head->kind.load(std::memory_order_relaxed),
                     std::memory_order_relaxed);
    entry.origin.store(head->origin.load(std::memory_order_relaxed),
                       std::memory_order_relaxed);
    return &entry;
  }
  return nullptr;
}

/// A process that is killed while it waits has not counted that.
void count_open_waits(process_counters& of, slot_id ended,
                      std::int64_t moment) noexcept {
  for (auto& each : run_memory::current().waits_of(ended.index).rows) {
    const auto kind = each.kind.load(std::memory_order_relaxed)
                      & ~wait_row::is_open;
    if (each.thread.load(std::memory_order_relaxed) >> 32 == ended.generation
        && (each.turn.load(std::memory_order_relaxed) & 1) != 0
        && kind < wait_kinds)
      of.waited[kind].fetch_add(moment
                                  - each.since.load(std::memory_order_relaxed),
                                std::memory_order_relaxed);
  }
}

template <class T>
void raise(std::atomic<T>& mark, T to) noexcept {
  auto seen = mark.load(std::memory_order_relaxed);
  while (seen < to
         && !mark.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
  }
}

} // namespace

std::uint32_t pool_counters::layout() noexcept {
  return layout_of(
    {sizeof(pool_counters), offsetof(pool_counters, results),
     offsetof(pool_counters, workers), offsetof(pool_counters, submitted),
     offsetof(pool_counters, finished), offsetof(pool_counters, waiting),
     offsetof(pool_counters, started)});
}

namespace {

void trace_name(std::string_view name) noexcept {
  for (std::uint32_t part = 0; !name.empty(); ++part) {
    const auto six = name.substr(0, trace_event::characters);
    std::uint64_t value = 0;
    std::memcpy(&value, six.data(), six.size());
    trace(trace_kind::process_name, part, value);
    name.remove_prefix(six.size());
  }
}

} // namespace

void begin_counters(process_slot& slot, slot_id self) noexcept {
  auto& memory = run_memory::current();
  auto& header = memory.header();
  auto row = self.index;
  // A slot is used again, and what the report is made of stays.
  if (run_memory::reports())
    if (const auto next
        = header.slots
          + header.rows_reported.fetch_add(1, std::memory_order_relaxed);
        next < header.counters_rows)
      row = next;
  auto& own = memory.counters_at(row);
  own.owner.store(0, std::memory_order_relaxed);
  // Pairs with the second look of who reads a copy: one that has found what
  // comes next finds that 0, too.
  std::atomic_thread_fence(std::memory_order_release);
  // Of whoever had the slot before. Nobody else writes here.
  std::memset(static_cast<void*>(&own), 0, sizeof own);
  own.pid.store(os::this_pid(), std::memory_order_relaxed);
  own.requested.store(slot.requested.load(std::memory_order_relaxed),
                      std::memory_order_relaxed);
  own.began.store(now(), std::memory_order_relaxed);
  own.name.set(slot.name.get());
  // release: whoever finds itself named finds the rest.
  own.owner.store(self.packed(), std::memory_order_release);
  slot.counters.store(row, std::memory_order_release);
  memory.set_own_counters(&own);
  if (is_traced()) {
    trace_name(slot.name.get());
    trace(trace_kind::process_begins, 0,
          link_of_process(self.index, self.generation));
  }
}

void end_counters(process_slot& slot, slot_id ended) noexcept {
  auto& memory = run_memory::current();
  const auto row = slot.counters.load(std::memory_order_acquire);
  if (row >= memory.header().counters_rows)
    return;
  auto& of = memory.counters_at(row);
  if (of.owner.load(std::memory_order_acquire) == ended.packed()) {
    const auto moment = now();
    if (of.ended.load(std::memory_order_relaxed) == 0 && run_memory::reports())
      count_open_waits(of, ended, moment);
    of.ended.store(moment, std::memory_order_relaxed);
  }
  if (is_traced())
    trace_of(ended.index, slot.pid.load(std::memory_order_relaxed),
             trace_kind::process_ends, 0, 0);
}

void count_wait(wait_kind kind, std::uint64_t place,
                std::int64_t nanoseconds) noexcept {
  auto& memory = run_memory::current();
  // relaxed: sums of their own.
  if (auto* const own = memory.own_counters())
    own->waited[static_cast<std::size_t>(kind)].fetch_add(
      nanoseconds, std::memory_order_relaxed);
  if (!run_memory::reports() || place == 0)
    return;
  if (auto* const of = counters_of(place)) {
    of->waits.fetch_add(1, std::memory_order_relaxed);
    of->waited.fetch_add(nanoseconds, std::memory_order_relaxed);
    raise(of->longest, nanoseconds);
  }
}

void count_depth(const void* place, std::uint64_t messages) noexcept {
  if (auto* const of = counters_of(run_memory::current().offset_of(place)))
    raise(of->depth, messages);
}

} // namespace troupe::memory
