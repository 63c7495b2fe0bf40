// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/supervision/restart_limit.hpp>

#include <chrono>

namespace troupe::supervision {

/// After that much time what cannot be killed, or comes from nowhere, is left.
inline constexpr std::chrono::seconds default_time_limit{30};

/// The point `time` after `now`; too far a point means never.
[[nodiscard]] inline deadline after(clock::time_point now,
                                    std::chrono::nanoseconds time) {
  return time >= clock::time_point::max() - now ? deadline::never()
                                                : deadline::at(now + time);
}

/// Whether it has passed at `now`.
[[nodiscard]] inline bool passed(deadline limit,
                                 clock::time_point now) noexcept {
  return !limit.is_never() && limit.when() <= now;
}

} // namespace troupe::supervision
