// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/network/address.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/state/state.hpp>

#include <chrono>

namespace troupe {

/// Connects to a state that another program has published there with this key.
///
///     auto records = troupe::connect(network::address{"host.example", 4242},
///                                    network::key::from_file("key"))
///                      .find<held::list<record>>("records");
///
/// The result and its proxies are used as those of a state in the run: blocked
/// calls, locks, futures. They belong to this process: it cannot pass them on.
///
/// # What a crash leaves
/// If the state, its machine or the way there is lost, every call on the way
/// and every later one throws `connection_lost`, at once or after
/// `limits::silence`. If this process is lost, the state ends what only it
/// used, and frees the locks that it held there.
///
/// Throws `not_authentic` if the other end has not this key or speaks no TLS;
/// `limit_reached` if it has as many clients as it takes; `os_failure` if
/// nobody listens there; `timed_out` if it has not answered until `limit`;
/// `connection_lost` if it has ended the connection before, or is no state;
/// `invalid_argument` for a host that nobody knows.
/// @blocks on the other end, until `limit`
[[nodiscard]] state
connect(const network::address& where, const network::key& shared,
        const network::limits& bounds = {},
        deadline limit = deadline::after(std::chrono::seconds{10}));

} // namespace troupe
