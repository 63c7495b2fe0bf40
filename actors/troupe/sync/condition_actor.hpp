// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/condition.hpp>
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/result.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace troupe {

/// The actor of a condition. An actor that owns a mutex, by its `mutex_actor`,
/// waits here; the mutex is named by `mutex::where()`.
///
///     wait, mutex          releases the mutex for the sender, waits for a
///                          notification and acquires the mutex again: the
///                          grant
///     wait, mutex, limit   the same; error `timed_out` when the limit passes
///                          first. The sender owns the mutex again even so
///     notify               notifies the first in the queue
///     notify, count        notifies several; how many
///     woken, number       not for users
///
/// Errors: `not_owner` (the sender does not own the mutex), `stale_handle`,
/// `limit_reached`.
///
/// # What a crash leaves
/// As with `condition`. If the services host dies, requests that wait fail at
/// once; the sender then does not own the mutex.
using condition_actor
  = caf::typed_actor<caf::result<grant>(wait_atom, std::uint64_t),
                     caf::result<grant>(wait_atom, std::uint64_t,
                                        caf::timespan),
                     caf::result<std::uint32_t>(notify_atom),
                     caf::result<std::uint32_t>(notify_atom, std::uint32_t),
                     caf::result<void>(woken_atom, std::uint64_t)>;

/// Returns the actor of a condition. @blocks on the services host, at first use
[[nodiscard]] condition_actor actor_of(const condition& changed);

} // namespace troupe
