// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace troupe::os {

/// Nanoseconds since the system was booted, those in which it slept included:
/// for what must not last longer because a laptop was closed meanwhile.
[[nodiscard]] std::int64_t boot_now() noexcept;

} // namespace troupe::os
