// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/run_memory.hpp>

#include <mutex>

/// How objects end. docs/design/memory.md argues each race and crash point; the
/// names in brackets are its.
namespace troupe::memory {

/// Guards the calling process's own ledger row and handle table.
[[nodiscard]] std::mutex& own_row_mutex() noexcept;

/// Added to `life` at every attach, so that it never has the same value twice.
inline constexpr std::uint64_t one_attach = 1ULL << 17;

/// Returns whether `life` says that the object is dead.
[[nodiscard]] constexpr bool is_dead(std::uint64_t life) noexcept {
  return (life & 1) != 0;
}

[[nodiscard]] object_header* head_at(offset where) noexcept;

/// Returns whether an object may start at `where`. The number may be anything.
[[nodiscard]] bool may_be_object(offset where) noexcept;

void set_holder(object_header* object, std::uint32_t row) noexcept;

void clear_holder(object_header* object, std::uint32_t row) noexcept;

[[nodiscard]] bool is_holder(object_header* object, std::uint32_t row) noexcept;

/// Frees the object at `where` if nobody holds it and no message carries it,
/// in the name of `row`: the caller's own, or that of a process of which the
/// caller has confirmed the death. Should the caller die inside, whoever
/// confirms that finds `where` in the row's handle table and goes on.
/// @pre the handle table of `row` holds `where`
/// @pre the caller does not hold `own_row_mutex()`
void bury_if_unheld(offset where, std::uint32_t row) noexcept;

/// Goes on with a burial, or with a creation, that the process of `row` had
/// begun at `where` when it died. Does nothing if there was none.
void finish_burial(offset where, std::uint32_t row) noexcept;

/// Gives the page at `where` back if the object there is gone: somebody looked
/// at it too late, and looking has filled the hole again.
void give_back_if_gone(offset where) noexcept;

/// Brings the ledger row of a dead process in order. [ledger]
void settle_ledger(std::uint32_t row) noexcept;

} // namespace troupe::memory
