// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/command_line.hpp>

#include <fstream>

namespace troupe::os {

std::vector<std::string> command_line() {
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::vector<std::string> result;
  std::string argument;
  bool is_name = true;
  while (std::getline(file, argument, '\0')) {
    if (!is_name)
      result.push_back(argument);
    is_name = false;
  }
  return result;
}

} // namespace troupe::os
