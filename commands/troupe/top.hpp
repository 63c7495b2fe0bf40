// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "choice.hpp"

#include <chrono>

namespace troupe::command {

/// Shows a run on the whole terminal, again and again, until the user types `q`
/// or the run ends. Throws `refusal` where standard output is no terminal.
/// Returns an `exit_code`.
int show_top(const inspection::run_entry& run,
             std::chrono::duration<double> between);

} // namespace troupe::command
