// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/cgroup.hpp>

#include <fstream>

namespace troupe::os {

std::vector<std::string> cgroup_folders() {
  const std::string root = "/sys/fs/cgroup";
  std::string folder = root;
  std::ifstream file{"/proc/self/cgroup"};
  // The line "0::/path" is that of the version 2 tree.
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::"))
      folder += line.substr(3);
  while (folder.ends_with('/'))
    folder.pop_back();
  std::vector<std::string> result;
  for (; folder.starts_with(root); folder.resize(folder.rfind('/')))
    result.push_back(folder);
  return result;
}

} // namespace troupe::os
