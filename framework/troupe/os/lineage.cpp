// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/lineage.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace troupe::os {

namespace {

/// The numbers of process `name` of /proc: in the namespace of /proc, in the one
/// below, and so on up to the process's own.
std::vector<std::int32_t> numbers_of(const std::string& name) {
  std::ifstream file{"/proc/" + name + "/status"};
  std::vector<std::int32_t> result;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("NSpid:")) {
      std::istringstream numbers{line.substr(6)};
      for (std::int32_t number = 0; numbers >> number;)
        result.push_back(number);
      break;
    }
  return result;
}

} // namespace

bool mark_lineage(std::uint64_t mark) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_LOCKS, &limit) != 0 || limit.rlim_max < mark)
    return false;
  limit.rlim_cur = mark;
  return ::setrlimit(RLIMIT_LOCKS, &limit) == 0;
}

bool bears_mark(std::int32_t pid, std::uint64_t mark) noexcept {
  rlimit limit{};
  return ::prlimit(pid, RLIMIT_LOCKS, nullptr, &limit) == 0
         && limit.rlim_cur == mark;
}

std::vector<std::int32_t> children() {
  std::vector<std::int32_t> result;
  std::error_code failure;
  for (const auto& thread :
       std::filesystem::directory_iterator{"/proc/self/task", failure}) {
    std::ifstream list{thread.path() / "children"};
    for (std::int32_t pid = 0; list >> pid;)
      result.push_back(pid);
  }
  // The list has the numbers of /proc's namespace, which may be one above ours.
  const auto depth = numbers_of("self").size();
  if (depth > 1)
    for (auto& pid : result) {
      const auto numbers = numbers_of(std::to_string(pid));
      pid = numbers.size() >= depth ? numbers[depth - 1] : 0;
    }
  std::erase(result, 0);
  return result;
}

bool adopt_orphans(bool adopt) noexcept {
  int before = 0;
  ::prctl(PR_GET_CHILD_SUBREAPER, &before, 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, adopt ? 1UL : 0UL, 0, 0, 0);
  return before != 0;
}

} // namespace troupe::os
