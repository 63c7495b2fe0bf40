// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// What bench_objects and its peers in C++ send each other.
namespace bench {

inline constexpr std::size_t frame_size = 24U << 20;

/// Eight bytes at a time, of every cache line.
inline std::uint64_t read_all(const std::byte* at, std::size_t size) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 64 <= size; i += 64) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + i, sizeof word);
    sum += word;
  }
  return sum;
}

} // namespace bench
