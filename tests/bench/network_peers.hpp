// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace bench::peers {

/// Round trips a second of `size` bytes through TLS 1.3 over loopback, between
/// this process and a bare fork of it, with the ciphers of troupe::network.
/// Each end asks its socket again and again until something has come.
[[nodiscard]] double tls_ping_pong(long count, std::size_t size);

/// Microseconds of a round trip of `size` bytes over loopback, between this
/// process and a bare fork of it: both ends sleep in `read`.
[[nodiscard]] double tcp_ping_pong(long count, std::size_t size);

/// Messages of `size` bytes a second in one stream of TLS 1.3 over loopback,
/// from this process to a bare fork of it, each of which sleeps where it has to
/// wait.
[[nodiscard]] double tls_one_way(long count, std::size_t size);

} // namespace bench::peers
