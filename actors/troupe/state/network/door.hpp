// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/network/desk.hpp>
#include <troupe/state/network/gate.hpp>
#include <troupe/state/network/limits.hpp>

#include <caf/behavior.hpp>
#include <caf/io/broker.hpp>

#include <chrono>
#include <memory>

namespace troupe::network {

/// The published actor: gives everybody who joins a session, and looks now and
/// then for strangers whose time is over. A broker without a connection, for
/// brokers are run by the loop itself: no other thread has to be woken.
caf::behavior door(caf::io::broker* self, std::shared_ptr<gate> at,
                   std::shared_ptr<desk> requests,
                   std::chrono::milliseconds look);

} // namespace troupe::network
