// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/memory/reference.hpp>

#include <span>
#include <string_view>

namespace troupe::codec {

/// A packet in an object of its own in the run's memory: what is too large, or
/// must outlive its writer.
///
///     0    bytes of body
///     8    number of handles
///     16   handles, 8 bytes each
///          body
///
/// In flight from `make` on; whoever opens it first owns it. Its shares of the
/// handles end with it, opened or not.
class parcel {
public:
  /// Copies `content` into a new parcel and returns what to pass on.
  /// Throws `limit_reached`; then `content` is as it was.
  [[nodiscard]] static memory::object_id make(packet& content);

  /// Takes hold of the parcel at `where`. Throws `stale_handle`,
  /// `malformed_bytes`.
  [[nodiscard]] static parcel open(memory::object_id where);

  /// Reads what is in it. The shares of the handles stay the parcel's, which
  /// ends them when it goes: the decoder only attaches, so that a process
  /// that is killed meanwhile leaves none behind.
  /// The decoder must not outlive this object; `what` names it in error texts.
  [[nodiscard]] decoder read(std::string_view what) const noexcept {
    return {body_, handles_, what, shares::lent};
  }

private:
  explicit parcel(memory::reference held);

  memory::reference held_;
  bytes_view body_;
  std::span<const memory::object_id> handles_;
};

} // namespace troupe::codec
