// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace troupe::memory {

/// Raised when something in the run's memory comes to mean something else at
/// the same place, which no sum of sizes and places shows.
inline constexpr std::uint32_t layout_number = 1;

/// A number for how a structure is laid out: of its size, and the places of its
/// members. Never 0.
[[nodiscard]] constexpr std::uint32_t
layout_of(std::initializer_list<std::size_t> sizes_and_places) noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325 ^ layout_number;
  for (const auto each : sizes_and_places)
    hash = (hash ^ each) * 0x100'0000'01B3;
  return static_cast<std::uint32_t>(hash ^ hash >> 32) | 1;
}

/// The same of all structures of this layer.
[[nodiscard]] std::uint64_t layout_of_memory() noexcept;

} // namespace troupe::memory
