// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/child_spec.hpp>
#include <troupe/supervision/child_count.hpp>
#include <troupe/supervision/restart_report.hpp>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// What a supervisor tells of one child.
struct child_info {
  std::string id;
  /// Empty where it has been terminated.
  caf::actor actor;
  /// Number of its process; 0 where it has none.
  std::int32_t pid = 0;
  std::uint32_t restarts = 0;
  bool supervises = false;
  /// Its last start failed, and is about to be tried again.
  bool restarting = false;
};

template <class Inspector>
bool inspect(Inspector& inspector, child_info& what) {
  return inspector.object(what).fields(
    inspector.field("id", what.id), inspector.field("actor", what.actor),
    inspector.field("pid", what.pid),
    inspector.field("restarts", what.restarts),
    inspector.field("supervises", what.supervises),
    inspector.field("restarting", what.restarting));
}

} // namespace troupe

/// What supervisors are told. Every process knows these before `main`.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_supervisor, 186)
  CAF_ADD_TYPE_ID(troupe_supervisor, (troupe::child_info))
  CAF_ADD_TYPE_ID(troupe_supervisor, (std::vector<troupe::child_info>) )
  CAF_ADD_TYPE_ID(troupe_supervisor, (troupe::child_spec))
  CAF_ADD_ATOM(troupe_supervisor, troupe, start_child_atom)
  CAF_ADD_ATOM(troupe_supervisor, troupe, restart_child_atom)
  CAF_ADD_ATOM(troupe_supervisor, troupe, terminate_child_atom)
  CAF_ADD_ATOM(troupe_supervisor, troupe, delete_child_atom)
  CAF_ADD_ATOM(troupe_supervisor, troupe, which_children_atom)
CAF_END_TYPE_ID_BLOCK(troupe_supervisor)

/// What they tell, and what else they are asked.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_supervisor_reports, 175)
  CAF_ADD_TYPE_ID(troupe_supervisor_reports, (troupe::restart_report))
  CAF_ADD_TYPE_ID(troupe_supervisor_reports, (troupe::child_count))
  CAF_ADD_ATOM(troupe_supervisor_reports, troupe, count_children_atom)
CAF_END_TYPE_ID_BLOCK(troupe_supervisor_reports)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::child_spec)

namespace troupe::supervision {

/// Makes the messages known; part of static initialisation wherever a
/// supervisor is used.
bool know_messages();

inline const bool messages_known = know_messages();

} // namespace troupe::supervision
