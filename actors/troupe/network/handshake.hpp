// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::network {

/// Who wants to know of a connection whether the other end has shown the key.
/// It lives as long as the connection's descriptor is open, and ends before
/// that is closed.
class handshake {
public:
  virtual ~handshake() = default;

  /// Something has come that only a holder of the key can have sent. Once.
  virtual void succeeded() noexcept = 0;

  /// It has announced a message of so many bytes, longer than any of ours, and
  /// its connection is cut.
  virtual void announced_too_much(std::uint64_t) noexcept {
  }
};

} // namespace troupe::network
