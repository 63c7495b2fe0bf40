// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "choice.hpp"

#include <cstdint>
#include <string>

namespace troupe::command {

struct kill_options {
  int signal = 9;
  /// What it has started, and those what they have started, as well.
  bool tree = false;
  /// Do not ask.
  bool yes = false;
};

/// Sends a signal to a process of a run, by number or name. That it is still
/// that very process is checked by the kernel's handle of it, and when it
/// began. Throws `refusal` where there is no such process or it may not be
/// signalled. Returns an `exit_code`.
int end_process(const inspection::run_entry& run,
                const std::string& pid_or_name, const kill_options& options);

} // namespace troupe::command
