// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace troupe {

/// Waits at `changed` until it is notified or `limit` has passed, also for no
/// reason; returns whether `limit` had not passed. As `wait_until` does, which
/// takes no point of time that means never.
/// @blocks on whoever notifies `changed`
inline bool wait_before(std::condition_variable& changed,
                        std::unique_lock<std::mutex>& held, deadline limit) {
  if (!limit.is_never())
    return changed.wait_until(held, limit.when()) == std::cv_status::no_timeout;
  changed.wait(held);
  return true;
}

/// The same until `done()` is true, which is returned.
template <class Done>
bool wait_before(std::condition_variable& changed,
                 std::unique_lock<std::mutex>& held, deadline limit,
                 Done done) {
  if (!limit.is_never())
    return changed.wait_until(held, limit.when(), std::move(done));
  changed.wait(held, std::move(done));
  return true;
}

} // namespace troupe
