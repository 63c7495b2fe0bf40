// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/supervision/restart_report.hpp>

namespace troupe::pooling {

/// A line on standard error: what a pool does where it has no `report`.
void print_end(const restart_report& of);

} // namespace troupe::pooling
