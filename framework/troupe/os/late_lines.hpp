// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace troupe::os {

/// Writes a line to standard error, from a thread that lives while there is
/// something to write: the caller never waits for whoever reads it. Where
/// nobody reads, 256 lines are kept; how many more there were is told behind
/// them.
void write_line_later(std::string line) noexcept;

} // namespace troupe::os
