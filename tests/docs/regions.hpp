// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../support/expected_output.hpp"

#include <map>
#include <stdexcept>

/// The named parts of a program that pages show: between `//[name` and `//]`,
/// nested if need be, without what stands between `//<-` and `//->`.
namespace regions {

using expected_output::lines;

inline std::string trim(const std::string& line) {
  const auto start = std::min(line.find_first_not_of(' '), line.size());
  return line.substr(start);
}

/// Returns the lines of every region, without their common indentation, and of
/// the whole as `all`; nothing if the file cannot be read.
inline std::map<std::string, lines> of(const std::string& file) {
  std::map<std::string, lines> result;
  const auto text = expected_output::read_file(file);
  if (!text)
    return result;
  std::vector<std::string> open{"all"};
  auto hidden = false;
  for (const auto& line : expected_output::split(*text)) {
    const auto mark = trim(line);
    if (mark.starts_with("//["))
      result[open.emplace_back(mark.substr(3))];
    else if (mark == "//]" && open.size() > 1)
      open.pop_back();
    else if (mark == "//<-" || mark == "//->")
      hidden = mark == "//<-";
    else if (!hidden)
      for (const auto& name : open)
        result[name].push_back(line);
  }
  if (open.size() > 1)
    throw std::runtime_error(file + ": region " + open.back()
                             + " is not closed");
  for (auto& [name, shown] : result) {
    auto indent = std::string::npos;
    for (const auto& line : shown)
      indent = std::min(indent, line.find_first_not_of(' '));
    for (auto& line : shown)
      line.erase(0, line.empty() ? 0 : indent);
    while (!shown.empty() && shown.back().empty())
      shown.pop_back();
    while (!shown.empty() && shown.front().empty())
      shown.erase(shown.begin());
  }
  return result;
}

} // namespace regions
