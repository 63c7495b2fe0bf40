// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#  include <emmintrin.h>
#endif

/// Two ways to copy a few dozen KiB that another processor reads next.
namespace troupe::os {

/// Through the caches, and not with the string instruction that memcpy takes
/// for so much: that one is slow with lines which another processor has.
inline void cached_copy(std::byte* to, const std::byte* from,
                        std::size_t size) noexcept {
#if defined(__x86_64__)
  const auto rest = size % 64;
  for (const auto* last = from + (size - rest); from != last;
       to += 64, from += 64) {
    const auto* source = reinterpret_cast<const __m128i*>(from);
    auto* target = reinterpret_cast<__m128i*>(to);
    for (int i = 0; i < 4; ++i)
      _mm_storeu_si128(target + i, _mm_loadu_si128(source + i));
  }
  std::memcpy(to, from, rest);
#else
  std::memcpy(to, from, size);
#endif
}

/// Past the caches: takes no line from whoever has it. What is stored
/// afterwards is seen after the copy.
inline void stream_copy(std::byte* to, const std::byte* from,
                        std::size_t size) noexcept {
#if defined(__x86_64__)
  const auto off = reinterpret_cast<std::uintptr_t>(to) % 64;
  const auto before = off == 0 || size < 64 ? 0 : 64 - off;
  std::memcpy(to, from, before);
  to += before;
  from += before;
  const auto rest = (size - before) % 64;
  for (const auto* last = from + (size - before - rest); from != last;
       to += 64, from += 64) {
    const auto* source = reinterpret_cast<const __m128i*>(from);
    auto* target = reinterpret_cast<__m128i*>(to);
    for (int i = 0; i < 4; ++i)
      _mm_stream_si128(target + i, _mm_loadu_si128(source + i));
  }
  std::memcpy(to, from, rest);
  _mm_sfence();
#else
  std::memcpy(to, from, size);
#endif
}

} // namespace troupe::os
