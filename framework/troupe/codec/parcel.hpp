// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/memory/reference.hpp>

#include <cstdint>
#include <vector>

namespace troupe::codec {

/// A packet in an object of its own in the run's memory: what is too large, or
/// must outlive its writer.
///
///     0    bytes of body
///     8    number of handles
///     16   handles, 8 bytes each
///          body
///
/// In flight from `make` on; whoever opens it first owns it. If nobody does,
/// its handles are given up with it.
class parcel {
public:
  /// Copies `content` into a new parcel and returns what to pass on.
  /// Throws `limit_reached`; then `content` is as it was.
  [[nodiscard]] static memory::offset make(packet& content);

  /// Takes hold of the parcel at `where`. Throws `stale_handle`,
  /// `malformed_bytes`.
  [[nodiscard]] static parcel open(memory::offset where);

  /// The bytes, in the run's memory; they live as long as this object.
  [[nodiscard]] bytes_view body() const noexcept {
    return body_;
  }

  /// Returns the handles, once: whoever has them answers for them.
  [[nodiscard]] std::vector<memory::offset> take_handles();

private:
  explicit parcel(memory::reference held);

  memory::reference held_;
  bytes_view body_;
  std::uint64_t handle_count_ = 0;
};

} // namespace troupe::codec
