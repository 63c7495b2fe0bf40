// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::sync {

/// Where the actor of a sync object is. Part of the object; zero: nowhere.
///
///     0    home    packed slot_id of the services host that carries it
///     8    id      the actor's id there
struct actor_location {
  // `id` and then `home`: release in `services::enter`; acquire in
  // `services::find` and `notify_home`. `id` is taken back by an acq_rel
  // exchange in `services::leave`.
  std::atomic<std::uint64_t> home;
  std::atomic<std::uint64_t> id;
};

static_assert(sizeof(actor_location) == 16);

/// Notifies the process that carries the actor, if there is one, so
/// that it looks again.
void notify_home(const actor_location& of) noexcept;

/// Returns whether the process in `row` carries the actor.
[[nodiscard]] bool is_home(const actor_location& of,
                           std::uint32_t row) noexcept;

} // namespace troupe::sync
