// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "views.hpp"

#include <cstdint>
#include <vector>

namespace troupe::command {

/// The stacks of all threads of these processes, equal ones told once. Each
/// process is stopped for some milliseconds, and goes on even if this program
/// is killed meanwhile. Where the kernel refuses, or there is nothing to read,
/// a sentence says so.
[[nodiscard]] view
stacks_view(const inspection::snapshot& of,
            const std::vector<const inspection::process_record*>& processes);

} // namespace troupe::command
