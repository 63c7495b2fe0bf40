// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/own_row.hpp>
#include <troupe/memory/run_memory.hpp>

/// How objects end. docs/design/memory.md argues each race and crash point; the
/// names in brackets are its.
namespace troupe::memory {

void set_holder(object_side side, std::uint32_t row) noexcept;

void clear_holder(object_side side, std::uint32_t row) noexcept;

[[nodiscard]] bool is_holder(object_side side, std::uint32_t row) noexcept;

/// Ends the object of a head, or the side of one that has two, if nobody holds
/// it and no message carries it, in the name of `row`: the caller's own, or
/// that of a process of which the caller has confirmed the death. Should the
/// caller die inside, whoever confirms that finds the head in the row's handle
/// table and goes on.
///
/// Whose object it is does not matter: what nobody holds may end.
/// @pre the handle table of `row` names the head
/// @pre the caller does not hold `own_row_mutex()`
void end_if_unheld(object_side side, std::uint32_t row) noexcept;

/// Goes on with what the process of `row` had begun with a head when it died:
/// to make an object, to end one or a side of one, to keep its memory. Does
/// nothing if there was nothing.
void finish_work(object_head* object, std::uint32_t row) noexcept;

/// Gives up the payload of a head and its place in the ledger, and frees it.
/// `row` has its life: `taken`, with no object in it, or `dying`.
/// @pre the caller does not hold `own_row_mutex()`
void give_up(object_head* object, std::uint32_t row) noexcept;

/// Brings the ledger of a dead process in order. [ledger]
void settle_ledger(std::uint32_t row) noexcept;

} // namespace troupe::memory
