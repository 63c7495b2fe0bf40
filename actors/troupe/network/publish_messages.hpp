// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/publish.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/state_actor.hpp>

#include <cstdint>
#include <optional>

namespace troupe::network {

/// The message to the actor of a state that publishes it, as `publish` does.
/// The result is the port. It holds the key until it is answered, and can be
/// sent once.
[[nodiscard]] held::call_for<std::uint16_t>
call_to_publish(const address& where, const key& shared,
                const limits& bounds = {});

/// The message that ends that, as `unpublish` does. The result is an event that
/// is set when the connections have ended; none if nothing is published there.
[[nodiscard]] held::call_for<std::optional<held::event>>
call_to_unpublish(const address& where);

} // namespace troupe::network
