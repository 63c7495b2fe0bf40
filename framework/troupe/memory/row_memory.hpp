// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/ledger.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace troupe::memory {

/// The one change of a number of shares that the process of a row makes at a
/// time: of the object `object`, for the place `place` in the run's memory,
/// where its id stands from then on, or no longer.
///
///     0     number     of the last change that was begun
///     8     counted    the highest number that is known to be counted
///     16    finished   the number of the last one that is over
///     24    object
///     32    place      its offset, 1 more if the share ends
///     40
///
/// A change is noted here, counted by one exchange of `object_head::shares`,
/// which leaves row and number there, and then written at the place. Whoever
/// exchanges the word next says in `counted` what the word said. So after a
/// death it is known whether a change was counted, and it is finished: see
/// `shares`.
struct share_change {
  // `object`, `place` and then `number`: release in `change_shares`, before the
  // exchange of the share word. Any process reads `number`, `object` and
  // `counted` with seq_cst in `make_known`, between two looks at that word; the
  // row's own reads them relaxed.
  // `counted`: release in `count`, exchanged with seq_cst in `make_known`.
  // `finished`: release in `finish`; seq_cst in `settle`, after a death.
  std::atomic<std::uint64_t> number;
  std::atomic<std::uint64_t> counted;
  std::atomic<std::uint64_t> finished;
  std::atomic<std::uint64_t> object;
  std::atomic<std::uint64_t> place;
};

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
///     240   share            see `share_change`
///     320
///
/// Written by the process of the row, but for `kept` and `share.counted`; and
/// by whoever has confirmed its death.
struct row_memory {
  static constexpr std::size_t most_empty_pages = 4;
  static constexpr std::size_t most_kept = 16;
  static constexpr std::size_t most_chunks = 20;

  // `holdings_high` and `handle_chunks`: release or seq_cst in `take_entry`, a
  // chunk before its granules are taken; acquire in `for_each` and `free`,
  // which whoever confirms the death calls.
  // `busy_page`: seq_cst before the page is changed, release when that is over;
  // acquire in `head_table::settle`, after the death. `empty_pages`: seq_cst
  // where one is listed, for `busy_page` names the old one first; else relaxed,
  // for only this process looks.
  // `kept`: taken and emptied by seq_cst exchanges of any process. `keeps`:
  // release in `take_entry`; seq_cst in `keep` and `warm_memory::settle`, so of
  // a place that is filled and the end of the row one sees the other.
  // `settling`: seq_cst, before the place is emptied; read after the death of
  // who settles.
  ledger_row ledger;
  std::atomic<std::uint32_t> holdings_high;
  std::atomic<std::uint32_t> busy_page;
  std::array<std::atomic<std::uint32_t>, most_empty_pages> empty_pages;
  /// Numbers of heads, 0 for none. Hints: `life` says whether something is
  /// kept.
  std::array<std::atomic<std::uint32_t>, most_kept> kept;
  /// First granule + 1; the highest bit says that the memory is given back, but
  /// not yet the granules.
  std::array<std::atomic<std::uint32_t>, most_chunks> handle_chunks;
  /// 1 while a living process may keep memory here.
  std::atomic<std::uint32_t> keeps;
  /// Number of the head that whoever settles `kept` after a death is busy with.
  std::atomic<std::uint32_t> settling;
  share_change share;
  std::array<std::uint64_t, 5> unused;
};

static_assert(sizeof(row_memory) == 320);
static_assert(offsetof(row_memory, share) == 240);

} // namespace troupe::memory
