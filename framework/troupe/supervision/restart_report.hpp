// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace troupe {

/// What a supervisor says of each restart, and of giving up: to `report`, and
/// to the actors that have subscribed, one message each. A pool says the same
/// of workers that end without a task to blame.
struct restart_report {
  std::string child;
  /// The process of the child that ended; 0 where it had none, or was not made.
  std::int32_t pid = 0;
  /// How the child ended, with signal or exit code.
  std::string reason;
  /// Restarts within the period, this one included.
  std::uint64_t restarts = 0;
  /// It was one too many: the supervisor ends, the pool is broken.
  bool given_up = false;
};

template <class Inspector>
bool inspect(Inspector& inspector, restart_report& what) {
  return inspector.object(what).fields(
    inspector.field("child", what.child), inspector.field("pid", what.pid),
    inspector.field("reason", what.reason),
    inspector.field("restarts", what.restarts),
    inspector.field("given_up", what.given_up));
}

} // namespace troupe
