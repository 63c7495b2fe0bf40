// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/patience.hpp>

#include <troupe/process/process.hpp>

#include <chrono>

namespace troupe::test {

/// Joins a process, under a watchdog: whether it ended well.
[[nodiscard]] inline bool passed(const process& child) {
  const auto status = child.join_for(std::chrono::seconds{60} * patience());
  return status && status->success();
}

} // namespace troupe::test
