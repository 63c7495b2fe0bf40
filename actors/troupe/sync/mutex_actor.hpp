// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/mutex.hpp>
#include <troupe/sync/recursive_mutex.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/result.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace troupe {

/// The actor of a lock: an actor acquires it by a request and never blocks a
/// thread. Threads that `lock()` and actors that ask stand in one queue.
///
///     acquire            the grant, when the sender owns the lock
///     acquire, limit     the same; error `timed_out` when the limit passes
///     release            error `not_owner` if the sender does not own it
///     query              who owns it, in words; empty if nobody does
///     woken, number     not for users
///
/// The *sender* of `acquire` is the owner, until it releases or ends. One that
/// asks again while it still waits stands in the queue twice, and is granted
/// the lock a second time when it has released it. Errors: `would_deadlock` (it
/// owns the lock already, and that is no `recursive_mutex`), `invalid_argument`
/// (no sender, or one of another machine), `limit_reached` (too many wait).
///
/// # What a crash leaves
/// An owner that ends, or whose process dies, loses the lock: the next is told
/// `owner_died`. If the services host dies, requests that wait fail at once and
/// locks stay as they are; ask `actor_of` again. A request that failed so may
/// have been granted: `acquire` of the new actor then answers with that grant.
using mutex_actor
  = caf::typed_actor<caf::result<grant>(acquire_atom),
                     caf::result<grant>(acquire_atom, caf::timespan),
                     caf::result<void>(release_atom),
                     caf::result<std::string>(query_atom),
                     caf::result<void>(woken_atom, std::uint64_t)>;

/// Returns the actor of a lock; starts the services host where there is none.
/// Throws what `host` throws.
/// @blocks on the services host, at first use
[[nodiscard]] mutex_actor actor_of(const mutex& lock);
[[nodiscard]] mutex_actor actor_of(const recursive_mutex& lock);

} // namespace troupe
