// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace troupe::os {

/// Returns the name and the arguments that the calling process's program was
/// executed with; empty where the system does not tell.
[[nodiscard]] std::vector<std::string> command_line();

} // namespace troupe::os
