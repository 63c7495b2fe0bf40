// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/bundle.hpp>

#include <caf/type_id.hpp>

#include <cstdint>

namespace troupe::held {

/// A call of a function on a held object, or on the state itself, as a message.
/// `call_of` and its neighbours make one.
struct call {
  /// A proxy, which keeps the object until the call is done; empty: the state.
  bundle object;
  /// Hash of the function's name.
  std::uint64_t operation = 0;
  /// How long it may wait there, in nanoseconds; negative: for ever.
  std::int64_t limit = -1;
  bundle arguments;
};

template <class Inspector>
bool inspect(Inspector& inspector, call& what) {
  return inspector.object(what).fields(
    inspector.field("object", what.object),
    inspector.field("operation", what.operation),
    inspector.field("limit", what.limit),
    inspector.field("arguments", what.arguments));
}

/// The result of a call; `result_in` reads it.
struct answer {
  bundle result;
};

template <class Inspector>
bool inspect(Inspector& inspector, answer& what) {
  return inspector.object(what).fields(inspector.field("result", what.result));
}

} // namespace troupe::held

/// What a state actor is told. Every process knows these before `main`.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_state, 172)
  CAF_ADD_TYPE_ID(troupe_state, (troupe::held::call))
  CAF_ADD_TYPE_ID(troupe_state, (troupe::held::answer))
  CAF_ADD_ATOM(troupe_state, troupe, answered_atom)
CAF_END_TYPE_ID_BLOCK(troupe_state)

namespace troupe::held {

/// Makes the messages known; part of static initialisation wherever a state
/// actor is used.
bool know_messages();

inline const bool messages_known = know_messages();

} // namespace troupe::held
