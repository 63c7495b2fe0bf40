// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/desk.hpp>
#include <troupe/network/gate.hpp>
#include <troupe/network/limits.hpp>

#include <caf/behavior.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/io/broker.hpp>

#include <memory>

namespace troupe::network {

/// The answer to whoever joins when there are `limits::clients` sessions.
inline const caf::error full = caf::exit_reason::out_of_workers;

/// The published actor: gives everybody who joins a session, and looks now and
/// then for strangers whose time is over. A broker without a connection, for
/// brokers are run by the loop itself: no other thread has to be woken.
caf::behavior door(caf::io::broker* self, std::shared_ptr<gate> at,
                   std::shared_ptr<desk> requests, const limits& bounds);

} // namespace troupe::network
