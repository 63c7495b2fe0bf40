// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/eventually.hpp>

#include <csignal>
#include <cstdint>
#include <cstdlib>
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

/// Of what a program that includes `stop_forked.hpp` has printed: the process
/// that it has forked as its `number`th, from 1, once that stands still; 0 if
/// it is not told of yet, or does not.
[[nodiscard]] inline std::int32_t forked(const std::string& output,
                                         int number) {
  const std::string word{"forked "};
  std::size_t at = 0;
  for (int i = 0; i < number; ++i) {
    at = output.find(word, at);
    if (at == std::string::npos)
      return 0;
    at += word.size();
  }
  if (output.find('\n', at) == std::string::npos)
    return 0;
  const auto pid = std::atoi(output.c_str() + at);
  return eventually([pid] { return activity_of(pid) == 'T'; }) ? pid : 0;
}

} // namespace troupe::test
