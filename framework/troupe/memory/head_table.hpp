// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>

#include <cstdint>
#include <vector>

/// Where the heads of objects come from, and where they go.
/// docs/design/memory.md argues each death. Who calls in the name of its own
/// row holds `own_row_mutex()`; in the name of another, whoever has confirmed
/// its death.
namespace troupe::memory::head_table {

/// What the calling process remembers between two calls, to look at the right
/// place first.
struct picker {
  /// Heads that it has freed lately.
  std::vector<std::uint32_t> freed;
  std::uint32_t page = 0;
  std::uint32_t next_empty = 0;
};

/// Takes a free head for the process in `row`, the caller's own: its life is
/// `taken`. Calls `note(index)` before each attempt, so that whoever confirms
/// the caller's death finds it. Returns nullptr where the run has no more
/// heads.
[[nodiscard]] object_head*
take(picker& from, std::uint32_t row,
     void (*note)(void* context, std::uint32_t index), void* context) noexcept;

/// Frees a head of which `row` has the life, `taken` or `dying`. Its payload
/// and its place in a ledger are given up already.
/// @param from of the calling process, if `row` is its own, else nullptr
void free(picker* from, object_head* head, std::uint32_t row) noexcept;

/// Sees that a free head can be found, and that its page goes if it is empty:
/// the dead process of `row` may have freed it, and not come to that.
void announce_free(object_head* head, std::uint32_t row) noexcept;

/// Returns whether heads may be looked at: false if the page of the head is not
/// in use. A look all the same is harmless, if `looked_at` is called after it.
[[nodiscard]] bool is_in_use(std::uint32_t index) noexcept;

/// Gives the memory of the head's page back if the page is not in use: a look
/// at it, that came too late, may have taken it again.
void looked_at(std::uint32_t index, std::uint32_t row) noexcept;

/// The same for the calling process, which must not hold `own_row_mutex()`.
void looked_at(std::uint32_t index) noexcept;

/// Goes on with what the dead process of `row` has begun with a page, and gives
/// back the pages that it kept.
void settle(std::uint32_t row) noexcept;

/// Gives back the empty pages that the calling process, in `row`, keeps.
void give_back_empty_pages(std::uint32_t row) noexcept;

/// Returns the word of the bits of holders outside of the head.
[[nodiscard]] std::atomic<std::uint64_t>&
more_holders(object_side side, std::uint32_t word) noexcept;

} // namespace troupe::memory::head_table
