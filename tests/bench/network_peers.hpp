// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace bench::peers {

/// Round trips a second of `size` bytes through TLS 1.3 over loopback, between
/// this process and a bare fork of it, with the ciphers of troupe::network.
/// Each end asks its socket again and again until something has come.
[[nodiscard]] double tls_ping_pong(long count, std::size_t size);

} // namespace bench::peers
