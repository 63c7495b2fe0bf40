// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::os {

/// Nanoseconds of the steady clock as of the kernel's last tick, so up to 10 ms
/// old. A few nanoseconds, where the exact time costs twenty-five.
[[nodiscard]] std::int64_t coarse_now() noexcept;

} // namespace troupe::os
