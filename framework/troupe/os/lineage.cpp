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

/// What all marks have in common, above what was drawn at random. No limit that
/// anybody would set has it.
constexpr std::uint64_t sign = 0x1D0C5;
constexpr int random_bits = 44;

/// The numbers of process `name` of /proc: in the namespace of /proc, in the
/// one below, and so on up to the process's own.
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

std::uint64_t lineage_mark(std::uint64_t random) noexcept {
  return sign << random_bits
         | (random & ((std::uint64_t{1} << random_bits) - 1));
}

bool mark_lineage(std::uint64_t random) noexcept {
  const auto mark = lineage_mark(random);
  rlimit limit{};
  if (::getrlimit(RLIMIT_LOCKS, &limit) != 0 || limit.rlim_max < mark)
    return false;
  limit.rlim_cur = mark;
  return ::setrlimit(RLIMIT_LOCKS, &limit) == 0;
}

bool has_other_lineage(std::int32_t pid) noexcept {
  rlimit other{};
  rlimit own{};
  return ::prlimit(pid, RLIMIT_LOCKS, nullptr, &other) == 0
         && other.rlim_cur >> random_bits == sign
         && ::getrlimit(RLIMIT_LOCKS, &own) == 0
         && own.rlim_cur != other.rlim_cur;
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
