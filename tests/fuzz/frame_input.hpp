// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/actor.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fuzz {

/// Gives `input` to the transport as what another process has written, in a
/// run that exists. Whatever it is, nothing but an error may come of it.
/// Returns why its writer is not listened to any more; empty if it still is,
/// though what a message says may have been unreadable.
///
///     0    even: one frame; odd: the bytes of the ring itself
///     1    a frame's tag (4 bytes), or how far the tail has moved (2 bytes)
///     5    the frame's body; from 3 on, the ring's bytes
std::string feed(std::span<const std::uint8_t> input);

/// An actor that accepts all sorts of things and answers numbers with
/// themselves: all frames are for it.
[[nodiscard]] const caf::actor& listener();

/// Frames of every kind that are right, to start from.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> right_frames();

/// Frames that would be right behind another.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> misplaced_frames();

} // namespace fuzz
