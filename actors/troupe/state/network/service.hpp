// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>

#include <cstdint>
#include <functional>

namespace troupe::network {

/// What a listener does for its clients. Both are called in one thread, for one
/// client after the other, in the order in which things came from each.
struct service {
  /// Sends an answer, from any thread; it does not wait.
  using reply_function = std::function<void(bytes_view answer)>;

  /// A request of `client`, a number that is never used for another.
  std::function<void(std::uint64_t client, bytes_view request,
                     reply_function reply)>
    serve;

  /// The last word about a client.
  std::function<void(std::uint64_t client)> client_gone;
};

} // namespace troupe::network
