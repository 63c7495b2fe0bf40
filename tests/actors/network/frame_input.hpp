// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

/// Gives `input` to a reader of frames as what the other end of a connection
/// has said, in two parts, and checks what the reader makes of it. Returns
/// whether all of it was taken.
bool feed_network(std::span<const std::uint8_t> input);

/// Frames of every kind that are right, to start from.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> right_network_input();

} // namespace fuzz
