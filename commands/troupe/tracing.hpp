// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "choice.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace troupe::command {

/// Writes what a run does into a file that Perfetto and Chrome open: one track
/// for each thread of each process, with its waits, tasks and handlers of
/// actors. Until `limit` has passed, the run ends, or SIGINT or SIGTERM comes.
/// Throws `refusal` where the run may not be traced or the file not be written.
/// Returns an `exit_code`.
int trace_run(const inspection::run_entry& run, const std::string& file,
              std::optional<std::chrono::duration<double>> limit);

} // namespace troupe::command
