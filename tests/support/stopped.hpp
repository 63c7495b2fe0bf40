// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/eventually.hpp>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>

namespace troupe::test {

/// Returns what process or thread `id` does: 'R' for running, 'S' for asleep,
/// 'T' for stopped; 0 where there is none.
[[nodiscard]] inline char activity_of(std::int32_t id) {
  std::ifstream file{"/proc/" + std::to_string(id) + "/stat"};
  // As a line: of a process that ends meanwhile there is none.
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(") ");
  return end == std::string::npos || end + 2 >= line.size() ? '\0'
                                                            : line[end + 2];
}

/// Stops process `pid` with all its threads, and returns once it stands still:
/// the signal alone is only on its way.
[[nodiscard]] inline bool stop(std::int32_t pid) {
  return ::kill(pid, SIGSTOP) == 0
         && eventually([pid] { return activity_of(pid) == 'T'; });
}

/// Lets it go on.
inline void go_on(std::int32_t pid) {
  ::kill(pid, SIGCONT);
}

} // namespace troupe::test
