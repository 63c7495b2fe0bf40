// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace troupe::os {

/// The tightest limits of the control groups that this process is in: its own
/// and all above, of version 2 and of version 1, wherever they are mounted.
struct cgroup_limits {
  /// Bytes; 0: none.
  std::uint64_t memory = 0;
  /// Processors, also in part; 0: none.
  double processors = 0;
};

/// Reads them. `root` stands before every path that is read: for tests.
[[nodiscard]] cgroup_limits read_cgroup_limits(const std::string& root = {});

} // namespace troupe::os
