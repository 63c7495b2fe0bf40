// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/span.hpp>
#include <caf/type_id.hpp>

#include <cstddef>

namespace troupe::network {

/// Bytes in a message of CAF's, which writes and reads them in one piece.
struct parcel {
  bytes content;
};

template <class Inspector>
bool inspect(Inspector& inspector, parcel& what) {
  using byte = transport::version::byte;
  auto size = what.content.size();
  if (!inspector.begin_sequence(size))
    return false;
  if constexpr (Inspector::is_loading) {
    // A length that came from elsewhere: not more than there are bytes.
    if constexpr (requires { inspector.remaining(); })
      if (size > inspector.remaining())
        return false;
    what.content.resize(size);
    return inspector.value(caf::span<byte>{
             reinterpret_cast<byte*>(what.content.data()), size})
           && inspector.end_sequence();
  } else {
    return inspector.value(caf::span<const byte>{
             reinterpret_cast<const byte*>(what.content.data()), size})
           && inspector.end_sequence();
  }
}

} // namespace troupe::network

/// What the two ends of a connection say to each other, besides CAF's atoms:
///
///     plug ─ join, its handle ──▶ door        answer: a session
///     plug ─ number, request ───▶ session     number 0: no answer wanted
///     plug ◀──── number, answer ─ session
CAF_BEGIN_TYPE_ID_BLOCK(troupe_network, 183)
  CAF_ADD_TYPE_ID(troupe_network, (troupe::network::parcel))
CAF_END_TYPE_ID_BLOCK(troupe_network)

namespace troupe::network {

/// Makes the messages and those of CAF's io module known; part of static
/// initialisation wherever a state may be published or reached.
bool know_messages();

inline const bool messages_known = know_messages();

} // namespace troupe::network
