// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::memory {

/// What becomes of a page of heads.
enum class page_state : std::uint8_t {
  /// Not in use: it takes no memory.
  closed = 0,
  /// Its heads may be taken.
  open,
  /// Row `row` opens or closes it.
  busy,
  /// As `closed`, for ever: the numbers of its heads are used up.
  worn_out,
};

/// What is known of 16 heads in a page of 4 KiB, also while the page is not in
/// use.
///
///     0    word        bit 0   heads that are free, as far as is known
///                      16      state, 2 bits
///                      18      touched: looked at while it was given back
///                      19      row, 17 bits
///     8    count       above every `life_word::count` of former times
///     16   generation  at least every generation of former times
///     32
///
/// The bits of free heads are hints: `life` says whether a head is free. But a
/// head that is free and has no bit has somebody who is about to set it.
struct head_page {
  static constexpr std::uint32_t heads = 16;
  static constexpr std::uint64_t bytes = 4096;
  static constexpr std::uint64_t touched = 1ULL << 18;
  static constexpr std::uint32_t last_generation = 0xFFFF'FFF0;
  static constexpr std::uint64_t last_count = (1ULL << 44) - (1ULL << 32);

  // `word`: each change is seq_cst, for of who sets the bit of a free head and
  // who gives the page back, one sees the other. Who picks a head looks with
  // acquire and so finds what `open` has written.
  // `count`: release in `close_busy`, behind `generation`, which is relaxed;
  // acquire in `open`.
  std::atomic<std::uint64_t> word;
  std::atomic<std::uint64_t> count;
  std::atomic<std::uint32_t> generation;
  std::uint32_t unused;
  std::uint64_t unused_too;

  [[nodiscard]] static constexpr std::uint64_t
  word_of(page_state state, std::uint32_t row = 0) noexcept {
    return (static_cast<std::uint64_t>(state) << 16)
           | (std::uint64_t{row} << 19);
  }

  [[nodiscard]] static constexpr page_state
  state_of(std::uint64_t word) noexcept {
    return static_cast<page_state>(word >> 16 & 3);
  }

  [[nodiscard]] static constexpr std::uint32_t
  row_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 19) & 0x1'FFFF;
  }

  [[nodiscard]] bool worn_out() const noexcept {
    return generation.load(std::memory_order_relaxed) >= last_generation
           || count.load(std::memory_order_relaxed) >= last_count;
  }
};

static_assert(sizeof(head_page) == 32);

} // namespace troupe::memory
