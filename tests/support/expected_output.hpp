// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/wait.h>

/// Compares what a program prints with what a file or a page says it prints.
///
/// In an expected line `…` stands for any text; a line that is only `…` stands
/// for any number of lines. With `# unordered` as its first line the order of
/// lines is free. White space at the end of a line does not count.
namespace expected_output {

using lines = std::vector<std::string>;

inline lines split(std::string_view text) {
  lines result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    result.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!result.empty() && result.back().empty())
    result.pop_back();
  return result;
}

inline std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file)
    return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

constexpr std::string_view any = "…";

inline bool matches(std::string_view pattern, std::string_view line) {
  const auto star = pattern.find(any);
  if (star == std::string_view::npos)
    return pattern == line;
  if (line.substr(0, star) != pattern.substr(0, star))
    return false;
  pattern.remove_prefix(star + any.size());
  for (auto rest = line.substr(star);; rest.remove_prefix(1)) {
    if (matches(pattern, rest))
      return true;
    if (rest.empty())
      return false;
  }
}

inline bool matches_in_order(const lines& patterns, std::size_t pattern,
                             const lines& actual, std::size_t line) {
  if (pattern == patterns.size())
    return line == actual.size();
  if (patterns[pattern] == any) {
    for (auto next = line; next <= actual.size(); ++next)
      if (matches_in_order(patterns, pattern + 1, actual, next))
        return true;
    return false;
  }
  return line < actual.size() && matches(patterns[pattern], actual[line])
         && matches_in_order(patterns, pattern + 1, actual, line + 1);
}

inline bool matches_in_any_order(lines patterns, lines actual) {
  const auto gap = std::erase(patterns, any) > 0;
  const auto take = [&](bool open) {
    for (const auto& pattern : patterns) {
      if ((pattern.find(any) != std::string::npos) != open)
        continue;
      const auto found = std::find_if(actual.begin(), actual.end(),
                                      [&](const auto& line) {
                                        return matches(pattern, line);
                                      });
      if (found == actual.end())
        return false;
      actual.erase(found);
    }
    return true;
  };
  // The patterns that allow least choose first.
  if (!take(false) || !take(true))
    return false;
  return gap || actual.empty();
}

inline bool matches(lines expected, const lines& actual) {
  if (!expected.empty() && expected.front() == "# unordered") {
    expected.erase(expected.begin());
    return matches_in_any_order(std::move(expected), actual);
  }
  return matches_in_order(expected, 0, actual, 0);
}

struct run_result {
  int status = 0;
  std::string output;
};

/// Runs `command` through the shell; its standard error goes to ours.
inline run_result run(const std::string& command) {
  run_result result;
  auto* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr)
    return {127, {}};
  char buffer[4096];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe))
    result.output.append(buffer, count);
  const auto status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return result;
}

} // namespace expected_output
