// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/key.hpp>

namespace troupe::test {

inline constexpr const char* secret_key = "a key for tests only";

/// The key of both ends.
[[nodiscard]] inline const network::key& shared() {
  static const network::key made{secret_key};
  return made;
}

} // namespace troupe::test
