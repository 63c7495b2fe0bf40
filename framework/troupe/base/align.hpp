// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe {

/// Distance that keeps two atomics out of each other's way. Two lines of 64
/// bytes, because the processors in question fetch lines in pairs.
inline constexpr std::size_t cache_line = 128;

/// Returns the smallest multiple of `unit` (a power of two) not below `size`.
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t size,
                                               std::uint64_t unit) noexcept {
  return (size + unit - 1) & ~(unit - 1);
}

} // namespace troupe
