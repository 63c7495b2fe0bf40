// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/semaphore.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/result.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace troupe {

/// The actor of a semaphore. Threads and actors stand in one queue.
///
///     acquire            answered when the sender has a unit
///     acquire, limit     the same; error `timed_out` when the limit passes
///     release            gives a unit back
///     release, count     gives several back; error `invalid_state` above the
///                        bound
///     query              units that are free
///     woken, number     not for users
///
/// # What a crash leaves
/// Units that the sender had come back when it ends or its process dies, as
/// with `semaphore`. If the services host dies, requests that wait fail at
/// once, and units of actors that end later come back when their process does.
using semaphore_actor
  = caf::typed_actor<caf::result<void>(acquire_atom),
                     caf::result<void>(acquire_atom, caf::timespan),
                     caf::result<void>(release_atom),
                     caf::result<void>(release_atom, std::int64_t),
                     caf::result<std::int64_t>(query_atom),
                     caf::result<void>(woken_atom, std::uint64_t)>;

/// Returns the actor of a semaphore. @blocks on the services host, at first use
[[nodiscard]] semaphore_actor actor_of(const semaphore& units);

} // namespace troupe
