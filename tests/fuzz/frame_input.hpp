// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

/// Gives `input` to the transport as what another process has written, in a
/// run that exists. Whatever it is, nothing but an error may come of it.
///
///     0    even: one frame; odd: the bytes of the ring itself
///     1    a frame's tag (4 bytes), or how far the tail has moved (2 bytes)
///     5    the frame's body; from 3 on, the ring's bytes
void feed(std::span<const std::uint8_t> input);

/// Frames of every kind that are right, to start from.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> right_frames();

} // namespace fuzz
