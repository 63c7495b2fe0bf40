// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/encoder.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <vector>

namespace troupe::machines {

/// Handles of actors that belong to bytes, and where.
using placed_actors = std::vector<transport::handles_aside::place>;

/// A message in the making, and the handles of actors that belong to it.
struct packed {
  codec::packet content;
  placed_actors actors;
};

/// What `write` gives an encoder; handles of actors are put aside.
template <class Write>
[[nodiscard]] packed pack_aside(Write write) {
  packed made;
  transport::handles_aside actors{made.content};
  codec::encoder to{made.content, codec::lends::no, &actors};
  write(to);
  made.actors = actors.places();
  return made;
}

/// Puts places and handles, which travel apart, together. Throws
/// `malformed_bytes`: there are not as many of both.
[[nodiscard]] placed_actors
put_together(const std::vector<std::uint64_t>& places,
             const std::vector<caf::strong_actor_ptr>& actors);

/// The other way.
[[nodiscard]] std::vector<std::uint64_t> places_of(const placed_actors& actors);
[[nodiscard]] std::vector<caf::strong_actor_ptr>
actors_of(const placed_actors& actors);

} // namespace troupe::machines
