// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::network {

/// Who wants to know of a connection whether the other end has shown the key.
/// It lives as long as the connection's descriptor is open, and ends before
/// that is closed.
class handshake {
public:
  virtual ~handshake() = default;

  /// Something has come that only a holder of the key can have sent. Once.
  virtual void succeeded() noexcept = 0;
};

} // namespace troupe::network
