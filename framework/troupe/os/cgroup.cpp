// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/cgroup.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::os {

namespace {

/// A line of /proc/self/cgroup: "ID:CONTROLLERS:PATH". Version 2 has no
/// controllers there.
struct membership {
  std::string controllers;
  std::string path;
};

/// A line of /proc/self/mountinfo that mounts control groups.
struct mount {
  /// Which folder of the tree is seen at `point`.
  std::string top;
  std::string point;
  bool is_version_2 = false;
  /// Of version 1: the controllers are among them.
  std::string options;
};

/// Whether `word` is one of the words of `list`, which have commas between.
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word)
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// Blanks and the like are written as a backslash and three octal digits.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 3 >= text.size()) {
      result += text[at];
      continue;
    }
    result += static_cast<char>(std::stoi(text.substr(at + 1, 3), nullptr, 8));
    at += 3;
  }
  return result;
}

std::vector<membership> memberships(const std::string& root) {
  std::vector<membership> result;
  std::ifstream file{root + "/proc/self/cgroup"};
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first != std::string::npos && second != std::string::npos)
      result.push_back(
        {line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return result;
}

std::vector<mount> mounts(const std::string& root) {
  std::vector<mount> result;
  std::ifstream file{root + "/proc/self/mountinfo"};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string skipped;
    std::string top;
    std::string point;
    words >> skipped >> skipped >> skipped >> top >> point;
    while (words >> skipped && skipped != "-") {
    }
    std::string type;
    std::string options;
    words >> type >> skipped >> options;
    if (type == "cgroup" || type == "cgroup2")
      result.push_back(
        {unescaped(top), unescaped(point), type == "cgroup2", options});
  }
  return result;
}

/// The folders of `path` and of all above it that are seen through `at`. Only
/// the topmost one if the path leads out of what is seen there.
std::vector<std::string> folders(const mount& at, const std::string& path) {
  std::vector<std::string> result{at.point};
  const auto top = at.top == "/" ? std::string{} : at.top;
  if (!path.starts_with(top + '/') || path.find("/..") != std::string::npos)
    return result;
  for (auto end = path.find('/', top.size() + 1);;
       end = path.find('/', end + 1)) {
    const auto part = path.substr(top.size(), end - top.size());
    if (part.size() > 1)
      result.push_back(at.point + part);
    if (end == std::string::npos)
      return result;
  }
}

/// Reads a number; 0 if there is none, or the word is "max" or "-1".
template <class Number>
Number read_number(const std::string& path) {
  std::ifstream file{path};
  Number value = 0;
  return file >> value && value > 0 ? value : Number{0};
}

double processors_of(const std::string& folder, bool is_version_2) {
  double quota = 0;
  double period = 0;
  if (is_version_2) {
    std::ifstream file{folder + "/cpu.max"};
    if (!(file >> quota >> period))
      return 0;
  } else {
    quota = read_number<double>(folder + "/cpu.cfs_quota_us");
    period = read_number<double>(folder + "/cpu.cfs_period_us");
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

template <class Number>
void tighten(Number& limit, Number found) {
  if (found > 0 && (limit == 0 || found < limit))
    limit = found;
}

} // namespace

cgroup_limits read_cgroup_limits(const std::string& root) {
  cgroup_limits result;
  const auto member = memberships(root);
  for (const auto& mounted : mounts(root))
    for (const auto& group : member) {
      const bool fits = mounted.is_version_2
                          ? group.controllers.empty()
                          : !group.controllers.empty()
                              && has_word(mounted.options,
                                          group.controllers.substr(
                                            0, group.controllers.find(',')));
      if (!fits)
        continue;
      const bool memory = mounted.is_version_2
                          || has_word(group.controllers, "memory");
      const bool cpu = mounted.is_version_2
                       || has_word(group.controllers, "cpu");
      const auto* const limit_file
        = mounted.is_version_2 ? "/memory.max" : "/memory.limit_in_bytes";
      for (const auto& each : folders(mounted, group.path)) {
        const auto folder = root + each;
        if (memory)
          tighten(result.memory,
                  read_number<std::uint64_t>(folder + limit_file));
        if (cpu)
          tighten(result.processors,
                  processors_of(folder, mounted.is_version_2));
      }
    }
  return result;
}

} // namespace troupe::os
