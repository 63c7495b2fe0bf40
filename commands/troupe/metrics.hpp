// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "choice.hpp"

#include <string>
#include <vector>

namespace troupe::command {

/// What runs show, in Prometheus' text format, version 0.0.4: for the textfile
/// collector of its node exporter.
[[nodiscard]] std::string metrics_text(const std::vector<looked>& runs);

} // namespace troupe::command
