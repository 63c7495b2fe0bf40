// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/command_line.hpp>

#include <fstream>

namespace troupe::os {

std::vector<std::string> command_line() {
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::vector<std::string> result;
  for (std::string argument; std::getline(file, argument, '\0');)
    result.push_back(argument);
  return result;
}

} // namespace troupe::os
