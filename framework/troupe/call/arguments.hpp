// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>
#include <troupe/codec/parcel.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::calls {

/// The message with the arguments of a call. Reading it only attaches to what
/// its handles name.
class arguments {
public:
  /// What stands in a message or a slot, which keeps alive what its handles name.
  /// Must outlive this object.
  explicit arguments(bytes_view body,
                     std::span<const memory::object_id> handles = {}) noexcept
    : body_(body), handles_(handles) {
  }

  /// What has a parcel of its own.
  explicit arguments(codec::parcel carrier) noexcept
    : carrier_(std::move(carrier)) {
  }

  /// Reads them; must not outlive this object. `what` is for error texts.
  [[nodiscard]] codec::decoder read(std::string_view what) const noexcept {
    if (carrier_)
      return carrier_->read(what);
    return {body_, handles_, what};
  }

  /// Reads all of them, and ends the parcel, before the call that may take
  /// long. Throws `malformed_bytes`, `stale_handle`, `limit_reached`.
  template <codec::sendable Tuple>
  [[nodiscard]] Tuple take() {
    auto from = read(codec::type_name<Tuple>());
    auto values = codec::decode_all<Tuple>(from);
    end_parcel();
    return values;
  }

private:
  void end_parcel() noexcept;

  std::optional<codec::parcel> carrier_;
  bytes_view body_;
  std::span<const memory::object_id> handles_;
};

} // namespace troupe::calls
