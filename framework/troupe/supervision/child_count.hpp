// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe {

/// How many children a supervisor has.
struct child_count {
  /// With a specification, whether they run or not.
  std::uint64_t specs = 0;
  std::uint64_t active = 0;
  std::uint64_t supervisors = 0;
  std::uint64_t workers = 0;
};

template <class Inspector>
bool inspect(Inspector& inspector, child_count& what) {
  return inspector.object(what).fields(
    inspector.field("specs", what.specs),
    inspector.field("active", what.active),
    inspector.field("supervisors", what.supervisors),
    inspector.field("workers", what.workers));
}

} // namespace troupe
