// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/ledger.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace troupe::memory {

/// What the run's memory knows of the process in one row of the process table.
///
///     0     ledger           what the process has taken, see `ledger_row`
///     64    holdings_high    highest entry of its handle table ever used, + 1
///     68    busy_page        page of heads that it opens or closes, 0 for none
///     72    empty_pages      pages of heads that it keeps though they are empty
///     88    kept             heads of objects that it made, whose memory waits
///                            for its next ones; see `warm_memory`
///     152   handle_chunks    where the pieces of its handle table stand
///     232   keeps, settling
///     256
///
/// Written by the process of the row, but for `kept`; and by whoever has
/// confirmed its death.
struct row_memory {
  static constexpr std::size_t most_empty_pages = 4;
  static constexpr std::size_t most_kept = 16;
  static constexpr std::size_t most_chunks = 20;

  ledger_row ledger;
  std::atomic<std::uint32_t> holdings_high;
  std::atomic<std::uint32_t> busy_page;
  std::array<std::atomic<std::uint32_t>, most_empty_pages> empty_pages;
  /// Numbers of heads, 0 for none. Hints: `life` says whether something is kept.
  std::array<std::atomic<std::uint32_t>, most_kept> kept;
  /// First granule + 1; the highest bit says that the memory is given back, but
  /// not yet the granules.
  std::array<std::atomic<std::uint32_t>, most_chunks> handle_chunks;
  /// 1 while a living process may keep memory here.
  std::atomic<std::uint32_t> keeps;
  /// Number of the head that whoever settles `kept` after a death is busy with.
  std::atomic<std::uint32_t> settling;
  std::array<std::uint32_t, 4> unused;
};

static_assert(sizeof(row_memory) == 256);

} // namespace troupe::memory
