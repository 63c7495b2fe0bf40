// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::os {

/// Returns the name of this computer up to its first dot; empty where it has
/// none.
[[nodiscard]] std::string host_name();

} // namespace troupe::os
