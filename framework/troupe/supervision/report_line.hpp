// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/supervision/restart_report.hpp>

#include <string>

namespace troupe::supervision {

/// How a supervisor speaks of its children, of one that has no process, and of
/// what it does now.
struct report_words {
  std::string child;
  std::string ended_without_process;
  std::string restarts;
  std::string gives_up;
};

/// The line that a report is where nobody has asked for reports.
[[nodiscard]] std::string line_of(const restart_report& what,
                                  const report_words& words);

/// Writes that line to standard error.
void print(const restart_report& what, const report_words& words);

} // namespace troupe::supervision
