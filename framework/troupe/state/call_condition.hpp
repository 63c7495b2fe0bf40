// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/wait_condition.hpp>
#include <troupe/state/caller.hpp>
#include <troupe/state/future.hpp>

#include <functional>
#include <memory>

/// What proxies and futures give `wait_any`.
namespace troupe::held {

/// Ready when `of` has an answer or has failed. `of` outlives it.
[[nodiscard]] std::shared_ptr<wait_condition> when_answered(pending& of);

/// Ready when a call returns that waits in the state until its object is ready.
/// `ask` sends it; `ask_now` makes one that does not wait, and returns whether
/// it was ready. Where they throw, as for a state that has died, the object is
/// ready: its use throws the same.
[[nodiscard]] std::shared_ptr<wait_condition>
when_returned(std::function<future<void>()> ask, std::function<bool()> ask_now);

} // namespace troupe::held
