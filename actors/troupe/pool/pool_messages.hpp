// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/bundle.hpp>

#include <caf/type_id.hpp>

#include <cstdint>

namespace troupe::pooling {

/// A task for a pool, as a message: where its function is, and its encoded
/// arguments. `task_of` makes one.
struct task {
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  bundle arguments;
};

template <class Inspector>
bool inspect(Inspector& inspector, task& what) {
  return inspector.object(what).fields(inspector.field("module", what.module),
                                       inspector.field("offset", what.offset),
                                       inspector.field("arguments",
                                                       what.arguments));
}

/// The result of a task; `result_in` reads it.
struct answer {
  bundle result;
};

template <class Inspector>
bool inspect(Inspector& inspector, answer& what) {
  return inspector.object(what).fields(inspector.field("result", what.result));
}

} // namespace troupe::pooling

/// What a pool actor is told. Every process knows these before `main`.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_pool, 194)
  CAF_ADD_TYPE_ID(troupe_pool, (troupe::pooling::task))
  CAF_ADD_TYPE_ID(troupe_pool, (troupe::pooling::answer))
  CAF_ADD_ATOM(troupe_pool, troupe, size_atom)
  CAF_ADD_ATOM(troupe_pool, troupe, task_done_atom)
CAF_END_TYPE_ID_BLOCK(troupe_pool)

namespace troupe::pooling {

/// Makes the messages known; part of static initialisation wherever a pool
/// actor is used.
bool know_messages();

inline const bool messages_known = know_messages();

} // namespace troupe::pooling
