// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::network {

/// Where a state is published: a host and a port.
///
/// The host is a number, of IPv4 or IPv6, or a name. Unless told otherwise it
/// is this machine's loopback, where other machines do not get.
class address {
public:
  /// Loopback, at whatever port is free.
  address() : address(std::uint16_t{0}) {
  }

  /// Loopback, at `port`.
  explicit address(std::uint16_t port);

  /// Port 0 stands for whatever is free, where a state is published. "0.0.0.0"
  /// and "::" are all of this machine's numbers.
  address(std::string host, std::uint16_t port);

  /// Reads "127.0.0.1:4242", "[::1]:4242", "host.example:4242" or, for
  /// loopback, "4242". Throws `invalid_argument`.
  [[nodiscard]] static address parse(std::string_view text);

  [[nodiscard]] const std::string& host() const noexcept {
    return host_;
  }

  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }

  friend bool operator==(const address&, const address&) = default;

private:
  std::string host_;
  std::uint16_t port_;
};

/// What `parse` reads.
[[nodiscard]] std::string to_string(const address& where);

} // namespace troupe::network
