// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

/// Returns how many processors this process may really use, at least 1: the
/// affinity mask, cut by the processor quota of its cgroup (rounded up).
[[nodiscard]] unsigned available_processors();

} // namespace troupe::os
