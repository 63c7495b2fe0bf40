// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::os {

/// Where a function's code is, in words that every process with the same
/// image understands: which loaded module, and how far into it.
struct code_location {
  /// Hash of the module's file name; 0 for the program itself.
  std::uint64_t module = 0;
  std::uint64_t offset = 0;

  friend bool operator==(const code_location&, const code_location&) noexcept
    = default;
};

/// Returns where the code at `address` is.
[[nodiscard]] code_location locate(const void* address) noexcept;

} // namespace troupe::os
