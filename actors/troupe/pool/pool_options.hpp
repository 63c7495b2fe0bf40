// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// What may be said about a pool's workers.
struct pool_options {
  /// How many; 0 for the processors that this process may really use.
  std::uint32_t size = 0;

  /// Workers are called "NAME-1", "NAME-2", …
  std::string name = "pool";

  /// A worker that has run so many tasks is replaced by a fresh process, at the
  /// end of a chunk. 0 for never.
  std::uint64_t tasks_per_worker = 0;

  /// How often a task is run again whose worker died of it.
  std::uint32_t retries = 0;

  /// A task that runs longer is asked to stop, through `this_task::stop_token`.
  std::optional<std::chrono::nanoseconds> soft_limit = std::nullopt;

  /// The worker of a task that runs longer is killed, and replaced; the task
  /// fails with `timed_out`.
  std::optional<std::chrono::nanoseconds> hard_limit = std::nullopt;
};

} // namespace troupe
