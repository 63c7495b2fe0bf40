// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/barrier.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/result.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace troupe {

/// The actor of a barrier: actors and threads are parties alike.
///
///     arrive             the sender's index, when all have arrived
///     arrive, limit      the same; when the limit passes the barrier breaks
///     abort, restart     `barrier::abort` and `barrier::reset`
///     query              how many wait
///     woken, number     not for users
///
/// Errors: `broken_barrier`.
///
/// # What a crash leaves
/// A broken barrier: where an actor ends that waits in it, or that had arrived
/// and whose process dies. If the services host dies while an actor waits, the
/// barrier breaks as well, and the actor's request fails.
using barrier_actor
  = caf::typed_actor<caf::result<std::uint32_t>(arrive_atom),
                     caf::result<std::uint32_t>(arrive_atom, caf::timespan),
                     caf::result<void>(abort_atom),
                     caf::result<void>(restart_atom),
                     caf::result<std::uint32_t>(query_atom),
                     caf::result<void>(woken_atom, std::uint64_t)>;

/// Returns the actor of a barrier. @blocks on the services host, at first use
[[nodiscard]] barrier_actor actor_of(const barrier& all);

} // namespace troupe
