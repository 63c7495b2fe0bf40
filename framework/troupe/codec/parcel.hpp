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
///     0    shares of the handles, if there are any
///          bytes of body
///          body
///
/// Its shares of the handles end with it.
class parcel {
public:
  /// Copies `content` into a new parcel. Throws `limit_reached`.
  [[nodiscard]] static memory::reference make(const packet& content);

  /// Takes hold of the parcel at `where`. Throws `stale_handle`,
  /// `malformed_bytes`.
  [[nodiscard]] static parcel open(memory::object_id where);

  /// Reads what is in it. The decoder must not outlive this object; `what`
  /// names it in error texts.
  [[nodiscard]] decoder read(std::string_view what) const noexcept {
    return {body_, handles_, what};
  }

private:
  explicit parcel(memory::reference held);

  memory::reference held_;
  bytes_view body_;
  std::span<const memory::object_id> handles_;
};

} // namespace troupe::codec
