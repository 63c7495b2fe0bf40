// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/sync/lock_handle.hpp>

#include <caf/type_id.hpp>

#include <cstdint>

namespace troupe {

/// Lets a `grant` travel in messages.
template <class Inspector>
bool inspect(Inspector& inspector, grant& what) {
  return inspector.object(what).fields(inspector.field("fence", what.fence),
                                       inspector.field("owner_died",
                                                       what.owner_died));
}

} // namespace troupe

/// What the sync actors are told. Every process knows these before `main`.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_sync, 160)
  CAF_ADD_TYPE_ID(troupe_sync, (troupe::grant))
  CAF_ADD_ATOM(troupe_sync, troupe, acquire_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, release_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, wait_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, notify_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, set_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, clear_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, query_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, arrive_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, abort_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, restart_atom)
  CAF_ADD_ATOM(troupe_sync, troupe, woken_atom)
CAF_END_TYPE_ID_BLOCK(troupe_sync)

namespace troupe::sync {

/// Makes the messages known; part of static initialisation wherever an actor
/// of this layer is used.
bool know_messages();

inline const bool messages_known = know_messages();

} // namespace troupe::sync
