// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/wait_condition.hpp>
#include <troupe/pool/dispatcher.hpp>

#include <memory>

namespace troupe::pooling {

/// `wait_any` for a job of a pool. The thread that waits takes results itself
/// whenever its process is notified and nobody leads, so that no other is
/// needed.
[[nodiscard]] std::shared_ptr<wait_condition>
when_done(std::shared_ptr<dispatcher> pool, std::shared_ptr<job> of);

} // namespace troupe::pooling
