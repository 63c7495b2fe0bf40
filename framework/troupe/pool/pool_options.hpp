// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/restart_report.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
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

  /// How many restarts are too many. Workers that end before they have run a
  /// task count, and workers that cannot be made. Too many are more than
  /// `intensity` of them in a row, without any task run in between by any
  /// worker, and more than `intensity` crashes among them within `period`. Then
  /// every task fails with the reason of the last end. An end by SIGKILL counts
  /// as a hundredth: on a busy machine many may be killed from outside. A
  /// worker that could not be made is tried again after a pause that grows to
  /// two seconds; the others work on. Unset: three for each worker and two.
  std::optional<std::uint32_t> intensity = std::nullopt;
  std::chrono::nanoseconds period = std::chrono::seconds{5};

  /// Called for each worker that ends with no task to blame or cannot be made,
  /// and when that was too often; by a thread that waits for the pool or one of
  /// the pool. `restarts` says how many processes that worker has been. Unset,
  /// or where it throws, a line on standard error.
  std::function<void(const restart_report&)> report = nullptr;
};

} // namespace troupe
