// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/object.hpp>
#include <troupe/memory/own_row.hpp>
#include <troupe/os/wait_word.hpp>

#include <chrono>
#include <cstdint>

/// Memory of objects that have ended, for the next objects of the processes
/// that made them: it is there, in large pages if it was, and mapped by who
/// used it.
///
/// # Bounds
/// For each process at most `row_memory::most_kept` payloads; none of 64 KiB
/// and more while what the run reserves, kept memory included, is more than an
/// eighth of `limits::memory`. What is kept stays in the ledger. It goes back
/// when its process has waited for `idle`, when the run lacks memory or
/// addresses, and with the process.
///
/// # What a crash leaves
/// Nothing: a head that keeps memory is in the table of the process that it is
/// kept for, or in the notes of who was about to put it there.
namespace troupe::memory::warm_memory {

inline constexpr std::chrono::milliseconds idle{200};

/// Takes a head whose memory has room for `bytes`, and not much more, in the
/// name of the calling process, whose row is `row`. Calls `note` as
/// `head_table::take` does. Returns nullptr if there is none.
/// @pre the caller holds `own_row_mutex()`
[[nodiscard]] object_head*
take(std::uint32_t row, std::uint64_t bytes,
     void (*note)(void* context, std::uint32_t index), void* context) noexcept;

/// Whether the memory of an object that ends is worth keeping.
[[nodiscard]] bool is_worth_keeping(const object_head* head) noexcept;

/// Keeps the memory of an object that `row` has ended and that is disposed of:
/// from `dying` to `kept`. False if there is no place for it; then it is
/// `dying` as before.
[[nodiscard]] bool keep(object_head* head, std::uint32_t row) noexcept;

/// Gives back one payload that is kept for the calling process, if its table is
/// full: of sizes, it seems, that nobody asks for any more.
void make_room() noexcept;

/// Gives back what is kept for the process of `of`, in the name of the calling
/// process, which must not hold `own_row_mutex()`. Returns whether there was
/// anything.
bool give_back(std::uint32_t of) noexcept;

/// The same in the name of `row`, whose process is dead, for its own.
void settle(std::uint32_t row) noexcept;

/// Gives back what is kept for the calling process, and its empty pages of
/// heads; and if it has kept something for others, what is kept for those in
/// rows up to theirs.
void give_back_own() noexcept;

/// Gives back what is kept for all. Returns whether there was anything.
bool give_back_all() noexcept;

/// `os::wait`, for who has nothing else to do: gives back what is kept for the
/// calling process when it has slept for `idle`, and returns true then as if it
/// had been woken.
[[nodiscard]] bool wait(const os::wait_word& word, std::uint32_t expected,
                        deadline limit) noexcept;

} // namespace troupe::memory::warm_memory
