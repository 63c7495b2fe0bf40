// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/layout.hpp>

#include <troupe/memory/late_object.hpp>
#include <troupe/memory/run_memory.hpp>

namespace troupe::memory {

namespace {

constexpr auto header
  = layout_of({sizeof(run_header),
               offsetof(run_header, slots),
               offsetof(run_header, rows_at),
               offsetof(run_header, waits_at),
               offsetof(run_header, origins_at),
               sizeof(origin),
               offsetof(origin, text),
               offsetof(run_header, counters_at),
               offsetof(run_header, objects_at),
               offsetof(run_header, trace_at),
               offsetof(run_header, made_at),
               offsetof(run_header, made_at_cycles),
               offsetof(run_header, counters_rows),
               offsetof(run_header, reports),
               offsetof(run_header, trace_until),
               offsetof(run_header, traced),
               offsetof(run_header, pages_at),
               offsetof(run_header, more_holders),
               offsetof(run_header, more_words),
               offsetof(run_header, more_second_words),
               offsetof(run_header, more_first_bytes),
               offsetof(run_header, heads),
               offsetof(run_header, pages),
               offsetof(run_header, pages_high),
               offsetof(run_header, regions),
               sizeof(region),
               offsetof(region, begin),
               offsetof(region, granule),
               offsetof(region, count),
               offsetof(run_header, deaths),
               offsetof(run_header, registry),
               offsetof(run_header, slots_high),
               offsetof(run_header, fork_server),
               offsetof(run_header, kinds),
               static_cast<std::size_t>(wait_kinds),
               static_cast<std::size_t>(trace_kinds),
               static_cast<std::size_t>(trace_ring::count)});

constexpr auto tables = layout_of({sizeof(process_slot),
                                   offsetof(process_slot, generation),
                                   offsetof(process_slot, wake_word),
                                   offsetof(process_slot, pid),
                                   offsetof(process_slot, daemon),
                                   offsetof(process_slot, start_time),
                                   offsetof(process_slot, parent),
                                   offsetof(process_slot, name),
                                   offsetof(process_slot, ended_by),
                                   offsetof(process_slot, code),
                                   offsetof(process_slot, entry_module),
                                   offsetof(process_slot, counters),
                                   offsetof(process_slot, requested),
                                   sizeof(process_counters),
                                   offsetof(process_counters, requested),
                                   offsetof(process_counters, waited),
                                   offsetof(process_counters, name),
                                   offsetof(process_counters, worker),
                                   offsetof(process_counters, slowest),
                                   offsetof(process_counters, actors),
                                   sizeof(worker_counters),
                                   offsetof(worker_counters, function),
                                   offsetof(worker_counters, since),
                                   offsetof(worker_counters, busy),
                                   sizeof(task_counter),
                                   offsetof(task_counter, function),
                                   sizeof(actor_counters),
                                   offsetof(actor_counters, threads),
                                   sizeof(actor_thread_counters),
                                   offsetof(actor_thread_counters, type),
                                   sizeof(object_counters),
                                   offsetof(object_counters, depth),
                                   sizeof(trace_event),
                                   offsetof(trace_event, what),
                                   sizeof(row_memory),
                                   offsetof(row_memory, ledger),
                                   offsetof(row_memory, holdings_high),
                                   offsetof(row_memory, share),
                                   sizeof(ledger_row),
                                   sizeof(share_change),
                                   sizeof(late_object),
                                   sizeof(head_page),
                                   offsetof(head_page, generation),
                                   sizeof(wait_row),
                                   offsetof(wait_row, kind),
                                   offsetof(wait_row, word),
                                   offsetof(wait_row, places),
                                   sizeof(wait_rows)});

constexpr auto heads = layout_of(
  {sizeof(object_head), offsetof(object_head, generation),
   offsetof(object_head, kind), offsetof(object_head, size),
   offsetof(object_head, payload), offsetof(object_head, shares),
   offsetof(object_head, granules), offsetof(object_head, creator),
   offsetof(object_head, flags), offsetof(object_head, origin),
   offsetof(object_head, holders), offsetof(object_head, second_life),
   offsetof(object_head, second_holders), offsetof(object_head, inside)});

} // namespace

std::uint64_t layout_of_memory() noexcept {
  return (std::uint64_t{layout_of({header, tables})} << 32) | heads;
}

} // namespace troupe::memory
