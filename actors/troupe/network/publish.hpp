// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/state/state.hpp>

namespace troupe::network {

/// Lets programs that have the key `connect` to the state, until `unpublish` or
/// the end of its process; they do not keep it alive. Returns where, with the
/// port that was free for port 0. Everything on the way is encrypted and
/// authenticated.
///
///     const auto where = network::publish(state, network::address{}, key);
///
/// # What a crash leaves
/// If the state's process dies, nothing listens there any more. If the caller
/// dies, the state is published, or not.
///
/// Throws `error_of<errc::os_failure>` if there is no listening there (the
/// reason comes as text, without an errno), `invalid_argument` for a host that
/// nobody knows.
/// @blocks on the state
address publish(const state& what, const address& where, const key& shared,
                const limits& bounds = {});

/// Listens there no more, and ends the connections of all who came that way:
/// their calls on the way throw `connection_lost`, their locks are free. For
/// the address that `publish` returned; false if nothing is published there.
/// @blocks on the call of such a client that just runs
bool unpublish(const state& what, const address& where);

} // namespace troupe::network
