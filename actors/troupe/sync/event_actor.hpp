// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/event.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/result.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace troupe {

/// The actor of an event.
///
///     set, clear         what the event's functions do
///     query              whether it is set
///     wait               answered when it is set
///     wait, limit        the same; error `timed_out` when the limit passes
///     woken, number     not for users
///
/// # What a crash leaves
/// The flag. If the services host dies, requests that wait fail at once.
using event_actor
  = caf::typed_actor<caf::result<void>(set_atom), caf::result<void>(clear_atom),
                     caf::result<bool>(query_atom),
                     caf::result<void>(wait_atom),
                     caf::result<void>(wait_atom, caf::timespan),
                     caf::result<void>(woken_atom, std::uint64_t)>;

/// Returns the actor of an event. @blocks on the services host, at first use
[[nodiscard]] event_actor actor_of(const event& news);

} // namespace troupe
