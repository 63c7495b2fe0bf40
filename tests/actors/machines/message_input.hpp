// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

/// Gives `input` to what reads a message between a machine and its lead once it
/// has joined, and checks what comes of it: written again it is read as the
/// same. Returns whether it was taken.
bool feed_message(std::span<const std::uint8_t> input);

/// Right ones of every kind, to start from.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> right_messages();

} // namespace fuzz
