// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::test {

/// Says what of the run is left that a test should have ended: living
/// processes, slots that nobody joined, shared objects that nobody freed, files
/// in /dev/shm and /tmp that bear our name. Empty: nothing. Waits a moment for
/// deaths that are on their way.
[[nodiscard]] std::string leftovers();

} // namespace troupe::test
