// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include <functional>
#include <string_view>

/// How the processes of a run find the actor by which the lead serves them, on
/// the lead's machine and on all others.
namespace troupe::machines {

/// By the root of a run: from now on its processes find the actor that `make`
/// gives, which is called when the first of them asks, in a thread of its own.
/// It is an actor of this process, and is held until that ends.
void offer_service(std::function<caf::strong_actor_ptr()> make);

/// Finds it, in any other process of the run. Throws `invalid_state` where this
/// program neither leads machines nor is one, or is about to end.
/// @blocks on the root, and on the lead: the first to ask has the actor made
[[nodiscard]] caf::actor find_service(std::string_view attempted);

} // namespace troupe::machines
