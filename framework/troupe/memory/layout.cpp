// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/layout.hpp>

#include <troupe/memory/run_memory.hpp>

namespace troupe::memory {

namespace {

constexpr auto header = layout_of({sizeof(run_header),
                                   offsetof(run_header, slots),
                                   offsetof(run_header, rows_at),
                                   offsetof(run_header, waits_at),
                                   offsetof(run_header, origins_at),
                                   sizeof(origin),
                                   offsetof(origin, text),
                                   offsetof(run_header, pages_at),
                                   offsetof(run_header, more_holders),
                                   offsetof(run_header, more_words),
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
                                   static_cast<std::size_t>(wait_kinds)});

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
                                   sizeof(row_memory),
                                   offsetof(row_memory, ledger),
                                   offsetof(row_memory, holdings_high),
                                   sizeof(head_page),
                                   offsetof(head_page, generation),
                                   sizeof(wait_row),
                                   offsetof(wait_row, kind),
                                   offsetof(wait_row, word),
                                   offsetof(wait_row, places),
                                   sizeof(wait_rows)});

constexpr auto heads
  = layout_of({sizeof(object_head), offsetof(object_head, generation),
               offsetof(object_head, kind), offsetof(object_head, size),
               offsetof(object_head, payload), offsetof(object_head, shares),
               offsetof(object_head, granules), offsetof(object_head, creator),
               offsetof(object_head, flags), offsetof(object_head, origin),
               offsetof(object_head, holders), offsetof(object_head, inside)});

} // namespace

std::uint64_t layout_of_memory() noexcept {
  return (std::uint64_t{layout_of({header, tables})} << 32) | heads;
}

} // namespace troupe::memory
