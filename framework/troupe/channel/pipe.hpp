// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/connection.hpp>

#include <utility>

namespace troupe {

/// Makes a pipe that goes both ways and returns its ends.
/// Throws `limit_reached`, `invalid_state` (no `troupe::program`).
template <class T>
std::pair<connection<T>, connection<T>> pipe() {
  auto [a, b]
    = channel::pipe_end::make(channel::fingerprint_of<connection<T>>(), true);
  return {connection<T>{std::move(a)}, connection<T>{std::move(b)}};
}

/// Makes a pipe that goes one way and returns the receiving and the sending
/// end, in this order (as Python does).
template <class T>
std::pair<connection<T>, connection<T>> pipe(one_way_t) {
  auto [receiver, sender]
    = channel::pipe_end::make(channel::fingerprint_of<connection<T>>(), false);
  return {connection<T>{std::move(receiver)}, connection<T>{std::move(sender)}};
}

} // namespace troupe
