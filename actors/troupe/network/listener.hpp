// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/network/service.hpp>

#include <cstdint>
#include <memory>

namespace troupe::network {

/// Offers a service to the holders of a key, over TLS from the key alone.
///
/// # Who gets in
/// Nobody without the key: a connection that has not shown it is closed after
/// `limits::handshake`, there are never more than `limits::strangers` of them,
/// and each is told of by one line on standard error; of a flood, the first 50
/// and then one a second, with a count of the others. Nobody waits for whoever
/// reads these lines.
///
/// # What a crash leaves
/// A client that is gone is noticed at once where its machine still runs, else
/// by its silence; then the service is told, after all that came from it.
class listener {
public:
  /// Throws `os_failure` if there is no listening at `where`,
  /// `invalid_argument` for a host that nobody knows, and what `credentials`
  /// throws.
  listener(const address& where, const key& shared, service what,
           const limits& bounds = {});

  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// Ends all connections.
  /// @blocks on the function that the service just runs
  ~listener();

  /// Where it listens, with the port that was free.
  [[nodiscard]] const address& where() const noexcept {
    return where_;
  }

  /// Connections of holders of the key, and of others.
  [[nodiscard]] std::uint32_t clients() const;
  [[nodiscard]] std::uint32_t strangers() const;

private:
  struct parts;

  address where_;
  std::unique_ptr<parts> parts_;
};

} // namespace troupe::network
