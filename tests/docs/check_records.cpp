// SPDX-License-Identifier: BSL-1.0
// check_records ROOT
//
// What the project records must be well-formed:
//
//   CHANGELOG.md        as keepachangelog.com says: `## [Unreleased]`, then
//                       `## [1.2.3] - 2026-01-31`, the newest first; in each at
//                       most one `### Added` and its like; a link for each
//                       version; the newest is the version of CMakeLists.txt
//   docs/decisions/*    a title, then `Date: 2026-01-31.` and `Status: ….`; but
//                       README.md, which is none

#include "../support/expected_output.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using expected_output::lines;

namespace {

int complaints = 0;

void complain(const fs::path& file, const std::string& what) {
  ++complaints;
  std::cerr << file.string() << ": " << what << '\n';
}

lines lines_of(const fs::path& file) {
  const auto text = expected_output::read_file(file.string());
  if (!text)
    complain(file, "is not there");
  return expected_output::split(text.value_or(""));
}

using version = std::array<int, 3>;

version parse(const std::smatch& match) {
  return {std::stoi(match[1]), std::stoi(match[2]), std::stoi(match[3])};
}

std::string to_string(const version& each) {
  return std::to_string(each[0]) + '.' + std::to_string(each[1]) + '.'
         + std::to_string(each[2]);
}

version version_of_project(const fs::path& file) {
  static const std::regex row{R"(\s*VERSION (\d+)\.(\d+)\.(\d+))"};
  for (const auto& line : lines_of(file))
    if (std::smatch match; std::regex_match(line, match, row))
      return parse(match);
  complain(file, "has no line VERSION");
  return {};
}

/// What the changelog says of one version.
struct entry {
  std::string name;
  version number = {};
  std::string date = {};
  std::set<std::string> parts = {};
};

/// Reads the entries, the newest first, and complains of headings that are
/// none of keepachangelog.com's.
std::vector<entry> read_entries(const fs::path& file, const lines& text) {
  static const std::regex released{
    R"(## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d))"};
  static const std::regex part{
    "### (Added|Changed|Deprecated|Removed|Fixed|Security)"};
  std::vector<entry> result;
  for (const auto& line : text) {
    std::smatch match;
    if (line == "## [Unreleased]" && result.empty())
      result.push_back({"Unreleased"});
    else if (std::regex_match(line, match, released))
      result.push_back({to_string(parse(match)), parse(match), match[4]});
    else if (line.starts_with("## "))
      complain(file, "no heading of a version: " + line);
    else if (line.starts_with("### ")
             && (result.empty() || !std::regex_match(line, match, part)
                 || !result.back().parts.insert(match[1]).second))
      complain(file, "a heading that is wrong here: " + line);
  }
  return result;
}

void check_changelog(const fs::path& root) {
  const auto file = root / "CHANGELOG.md";
  const auto text = lines_of(file);
  const auto entries = read_entries(file, text);
  if (entries.empty() || entries[0].name != "Unreleased")
    complain(file, "does not begin with ## [Unreleased]");
  for (const auto& each : entries)
    if (std::none_of(text.begin(), text.end(), [&](const auto& line) {
          return line.starts_with('[' + each.name + "]: ");
        }))
      complain(file, "has no link for [" + each.name + ']');
  for (std::size_t i = 2; i < entries.size(); ++i)
    if (entries[i - 1].number <= entries[i].number
        || entries[i - 1].date < entries[i].date)
      complain(file, entries[i - 1].name + " stands above " + entries[i].name);
  const auto project = to_string(version_of_project(root / "CMakeLists.txt"));
  if (entries.size() < 2 || entries[1].name != project)
    complain(file, "its newest version is not CMakeLists.txt's, " + project);
}

void check_decision(const fs::path& file) {
  static const std::regex date{R"(Date: \d{4}-\d\d-\d\d\.)"};
  static const std::regex status{
    R"(Status: (proposed|accepted|(superseded( in part)? \d{4}-\d\d-\d\d by \[.+\]\(.+\).*))\.)"};
  const auto text = lines_of(file);
  if (text.size() < 5 || !text[0].starts_with("# ") || !text[1].empty()
      || !text[4].empty()) {
    complain(file, "does not begin with a title, a date and a status");
    return;
  }
  if (!std::regex_match(text[2], date))
    complain(file, "no date: " + text[2]);
  if (!std::regex_match(text[3], status))
    complain(file, "no status: " + text[3]);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: check_records ROOT\n";
    return 2;
  }
  const fs::path root{argv[1]};
  check_changelog(root);
  std::vector<fs::path> decisions;
  for (const auto& file : fs::directory_iterator{root / "docs/decisions"})
    if (file.path().filename() != "README.md")
      decisions.push_back(file.path());
  std::sort(decisions.begin(), decisions.end());
  for (const auto& file : decisions)
    check_decision(file);
  std::cout << decisions.size() << " decisions, " << complaints
            << " complaints\n";
  return complaints == 0 ? 0 : 1;
}
