// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// A number for a text, the same in every process and program: FNV-1a. Good
/// enough to notice a difference, and no guard against who makes one.
[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const char message : text)
    hash = (hash ^ static_cast<unsigned char>(message)) * 0x100'0000'01B3;
  return hash;
}

} // namespace troupe
