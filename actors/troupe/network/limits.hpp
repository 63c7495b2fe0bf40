// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::network {

/// The longest request and the longest answer.
inline constexpr std::size_t longest_content = std::size_t{1} << 30;

/// How patient both ends are, and how much a listener bears.
struct limits {
  /// A connection on which nothing came for that long is lost. While there is
  /// nothing to say, each end sends a sign of life five times in that time, and
  /// looks as often: a cut cable is noticed before 1.4 × `silence`.
  std::chrono::milliseconds silence{10'000};

  /// How long a stranger may take to show that it has the key.
  std::chrono::milliseconds handshake{5'000};

  /// How many may be about to show it; when one more comes, the oldest goes.
  std::uint32_t strangers = 64;

  /// How many connections of those who have the key there may be.
  std::uint32_t clients = 256;
};

} // namespace troupe::network
