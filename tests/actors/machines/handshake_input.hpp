// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

/// Gives `input` to what reads the first message of a machine, or, as the first
/// byte says, that of a lead; and checks what comes of it: what was read is
/// written again as the same bytes. Returns whether it was taken.
bool feed_handshake(std::span<const std::uint8_t> input);

/// Right ones of both, to start from.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> right_handshakes();

} // namespace fuzz
