// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>

#include <cstdint>
#include <functional>

namespace troupe::network {

/// What a listener does for its clients. They are called one at a time, in the
/// order in which things came from each client.
struct service {
  /// Sends an answer, from any thread; it does not wait.
  using reply_function = std::function<void(bytes_view answer)>;

  /// A request of `client`, a number that is never used for another.
  std::function<void(std::uint64_t client, bytes_view request,
                     reply_function reply)>
    serve;

  /// The same, where it takes no time to speak of; false: it might, and nothing
  /// was done. Called in the thread of the sockets, which saves two wake-ups,
  /// and which must go on to send signs of life. May be empty.
  std::function<bool(std::uint64_t client, bytes_view request,
                     reply_function reply)>
    serve_at_once;

  /// The last word about a client.
  std::function<void(std::uint64_t client)> client_gone;
};

} // namespace troupe::network
