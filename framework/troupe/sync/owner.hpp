// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::sync {

/// Who holds something, or waits for it: a thread of a process of the run, or
/// an actor there.
///
///     bit 0    thread   the kernel's number of the thread, or the low bits of
///                       the actor's
///     22       row      the process's place in the table, plus one
///     39       actor    1 for an actor
///     40                the flags of whoever keeps an owner in a word
///
/// Zero is nobody. Small enough that one compare-exchange writes the whole name
/// together with the flags: so a lock never has an owner that nobody can name.
class owner {
public:
  static constexpr unsigned thread_bits = 22;
  static constexpr unsigned row_bits = 17;
  static constexpr std::uint64_t actor_bit = 1ULL << (thread_bits + row_bits);
  static constexpr std::uint64_t mask = (actor_bit << 1) - 1;

  constexpr owner() noexcept = default;

  /// The owner in a word that may carry flags as well.
  constexpr explicit owner(std::uint64_t word) noexcept : bits_(word & mask) {
  }

  constexpr owner(std::uint32_t row, std::uint64_t thread, bool actor) noexcept
    : bits_((std::uint64_t{row} + 1) << thread_bits
            | (thread & ((1ULL << thread_bits) - 1))
            | (actor ? actor_bit : 0)) {
  }

  /// The calling thread. A few nanoseconds.
  [[nodiscard]] static owner this_thread() {
    if (own_bits_ == 0) [[unlikely]]
      own_bits_ = find_out();
    return owner{own_bits_};
  }

  [[nodiscard]] constexpr explicit operator bool() const noexcept {
    return bits_ != 0;
  }

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept {
    return bits_;
  }

  [[nodiscard]] constexpr bool is_actor() const noexcept {
    return (bits_ & actor_bit) != 0;
  }

  [[nodiscard]] constexpr std::int32_t thread() const noexcept {
    return static_cast<std::int32_t>(bits_ & ((1ULL << thread_bits) - 1));
  }

  /// The index of the process slot. @pre not nobody
  [[nodiscard]] constexpr std::uint32_t row() const noexcept {
    return static_cast<std::uint32_t>((bits_ & (actor_bit - 1)) >> thread_bits)
           - 1;
  }

  /// Returns whether it belongs to the process in slot `row`.
  [[nodiscard]] constexpr bool is_of(std::uint32_t row_index) const noexcept {
    return bits_ != 0 && row() == row_index;
  }

  friend constexpr bool operator==(owner, owner) noexcept = default;

private:
  static std::uint64_t find_out();

  inline static thread_local constinit std::uint64_t own_bits_ = 0;

  std::uint64_t bits_ = 0;
};

} // namespace troupe::sync
