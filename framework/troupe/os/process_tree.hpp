// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <vector>

namespace troupe::os {

/// Stops the child `leader`, and its process group, and kills all that descends
/// from it, in whatever group or session, as far as the calling process may.
/// The leader itself is left, stopped. What has lost its parent is found if the
/// leader adopts orphans. Does nothing where /proc does not tell of the
/// processes that the calling process sees. Returns pidfds of those killed, for
/// `reap_adopted`, as far as there are descriptors.
std::vector<descriptor> kill_descendants(std::int32_t leader) noexcept;

/// Where the calling process adopts orphans: reaps those that the death of its
/// child `leader`, which has ended and is not reaped, has made its own, of the
/// group of `leader` and of `killed`. All of them were killed; one that does
/// not die within a second is left.
void reap_adopted(std::int32_t leader,
                  const std::vector<descriptor>& killed) noexcept;

} // namespace troupe::os
