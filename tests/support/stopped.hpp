// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/eventually.hpp>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>

namespace troupe::test {

/// Stops process `pid` with all its threads, and returns once it stands still:
/// the signal alone is only on its way.
[[nodiscard]] inline bool stop(std::int32_t pid) {
  if (::kill(pid, SIGSTOP) != 0)
    return false;
  return eventually([pid] {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    return end != std::string::npos && line.compare(end, 3, ") T") == 0;
  });
}

/// Lets it go on.
inline void go_on(std::int32_t pid) {
  ::kill(pid, SIGCONT);
}

} // namespace troupe::test
