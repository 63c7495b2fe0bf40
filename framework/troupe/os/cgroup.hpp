// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace troupe::os {

/// Returns the folders of the control groups that this process is in, its own
/// first and the root of the tree last: each may set a tighter limit.
[[nodiscard]] std::vector<std::string> cgroup_folders();

} // namespace troupe::os
