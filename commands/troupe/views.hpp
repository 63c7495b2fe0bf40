// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "choice.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace troupe::command {

using json = nlohmann::ordered_json;

/// What a subcommand shows: as text, and as data with the same in it.
struct view {
  std::string text;
  json data;
};

[[nodiscard]] view processes_view(const looked& of);
[[nodiscard]] view tree_view(const looked& of);
[[nodiscard]] view queues_view(const looked& of);
[[nodiscard]] view locks_view(const looked& of);

/// Each pool and its workers: what they run since when, how busy they are.
[[nodiscard]] view pools_view(const looked& of);

/// The actor system of each process: how many actors, what they have to do, and
/// in whose handler its threads are.
[[nodiscard]] view actors_view(const looked& of);

/// Follows the chain of waiting from one process, in sentences. Throws
/// `refusal` where there is no such process.
[[nodiscard]] view why_view(const looked& of, const std::string& pid_or_name);

/// What stands still, in sentences; empty where nothing does.
[[nodiscard]] view stalls_view(const looked& of);

} // namespace troupe::command
