// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <unistd.h>

namespace troupe::test {

/// How many processes run that have `mark` in their command line; zombies have
/// none.
[[nodiscard]] inline std::size_t running_with(const std::string& mark) {
  std::size_t result = 0;
  std::error_code failure;
  for (const auto& each :
       std::filesystem::directory_iterator{"/proc", failure}) {
    std::ifstream file{each.path() / "cmdline", std::ios::binary};
    // One that ends meanwhile cannot be read; that is no exception here.
    std::string text;
    std::getline(file, text, '\xFF');
    if (text.find(mark) != std::string::npos
        && each.path().filename() != std::to_string(::getpid()))
      ++result;
  }
  return result;
}

/// A number of seconds that nobody else sleeps: a mark for `running_with`.
[[nodiscard]] inline std::string unique_seconds() {
  static int last = 0;
  return "1000." + std::to_string(::getpid()) + std::to_string(++last);
}

} // namespace troupe::test
