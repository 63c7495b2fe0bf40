// SPDX-License-Identifier: BSL-1.0
// check_references ROOT TESTS
//
// What pages refer to must be there:
//
//   [a page](to/it.md)               a file or folder, in every page
//   `sync.mutex` "a lock excludes"   a test of ctest, and a case of its sources,
//                                    in semantics.md and the conformance list;
//                                    several cases may follow one test
//
// and reference/from-python.md must mention every name in python_names.txt,
// reference/from-caf.md every one in caf_names.txt. The column "include" of
// from-python.md names headers that are there and have a name of the row; a row
// that shows code of Troupe's has one.
// Every point at which the sources let a test kill a process
// (`TROUPE_CRASH_POINT`) must stand in some test.
// TESTS lists `name|source|source…`.

#include "../support/expected_output.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

namespace fs = std::filesystem;

namespace {

int complaints = 0;

void complain(const fs::path& page, const std::string& what) {
  ++complaints;
  std::cerr << page.string() << ": " << what << '\n';
}

std::string text_of(const fs::path& file) {
  return expected_output::read_file(file.string()).value_or("");
}

void check_links(const fs::path& page) {
  static const std::regex link{R"(\]\(([^)#]+)(#[^)]*)?\))"};
  std::string text;
  bool code = false;
  for (const auto& line : expected_output::split(text_of(page))) {
    code = code != line.starts_with("```");
    if (!code)
      text += line + '\n';
  }
  for (std::sregex_iterator at{text.begin(), text.end(), link}, end; at != end;
       ++at) {
    const auto target = (*at)[1].str();
    if (target.find("://") == std::string::npos
        && !fs::exists(page.parent_path() / target))
      complain(page, "leads to " + target + ", which is not there");
  }
}

// The sources of each test, with string literals in pieces put together.
std::map<std::string, std::string> read_tests(const fs::path& list) {
  static const std::regex seam{R"("\s*\n\s*")"};
  std::map<std::string, std::string> result;
  std::istringstream rows{text_of(list)};
  for (std::string row; std::getline(rows, row);) {
    std::istringstream fields{row};
    std::string name, source;
    std::getline(fields, name, '|');
    while (std::getline(fields, source, '|'))
      result[name] += std::regex_replace(text_of(source), seam, "");
  }
  return result;
}

void check_tests(const fs::path& page,
                 const std::map<std::string, std::string>& tests) {
  static const std::regex item{R"q(`([a-z_]+(?:\.[a-z_]+)*)`|"([^"]+)")q"};
  std::set<std::string> families;
  for (const auto& [name, sources] : tests)
    families.insert(name.substr(0, name.find('.')));
  const auto text = text_of(page);
  std::string test;
  for (std::sregex_iterator at{text.begin(), text.end(), item}, end; at != end;
       ++at) {
    const auto name = (*at)[1].str();
    const auto wanted = (*at)[2].str();
    if (tests.contains(name))
      test = name;
    else if (name.find('.') != std::string::npos
             && families.contains(name.substr(0, name.find('.'))))
      complain(page, "there is no test " + name);
    else if (name.empty() && test.empty())
      complain(page, "no test is named before \"" + wanted + '"');
    else if (name.empty()
             && tests.at(test).find('"' + wanted + '"') == std::string::npos)
      complain(page, test + " has no case \"" + wanted + '"');
  }
}

void check_names(const fs::path& page, const fs::path& list,
                 const std::string& whose) {
  const auto text = text_of(page);
  std::istringstream names{text_of(list)};
  for (std::string name; names >> name;)
    if (!std::regex_search(text, std::regex{"\\b" + name + "\\b"}))
      complain(page, "does not mention " + whose + "'s " + name);
}

// The cells of a row of a table; none if `line` is no row.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  if (!line.starts_with("| "))
    return cells;
  std::istringstream rest{line.substr(1)};
  for (std::string cell; std::getline(rest, cell, '|');)
    cells.push_back(cell);
  return cells;
}

// The names in the code that a text shows.
std::set<std::string> names_in(const std::string& text) {
  static const std::regex code{"`([^`]+)`"};
  static const std::regex name{"[A-Za-z_][A-Za-z_0-9]{2,}"};
  std::set<std::string> result;
  for (std::sregex_iterator at{text.begin(), text.end(), code}, end; at != end;
       ++at) {
    const auto shown = (*at)[1].str();
    for (std::sregex_iterator word{shown.begin(), shown.end(), name};
         word != end; ++word)
      result.insert(word->str());
  }
  for (const auto* each : {"troupe", "held", "std"})
    result.erase(each);
  return result;
}

bool mentions(const std::string& text, const std::string& name) {
  return std::regex_search(text, std::regex{"\\b" + name + "\\b"});
}

void check_includes(const fs::path& root, const fs::path& page) {
  static const std::regex header{"`([a-z_/]+\\.hpp)`"};
  std::size_t column = 0;
  for (const auto& line : expected_output::split(text_of(page))) {
    const auto cells = cells_of(line);
    if (cells.size() > 2 && cells[0] == " Python ") {
      const auto found = std::find(cells.begin(), cells.end(), " include ");
      if (found == cells.end())
        complain(page, "a table has no column include");
      column = static_cast<std::size_t>(found - cells.begin());
      continue;
    }
    if (column == 0 || cells.size() <= column)
      continue;
    const auto row = cells[0] + cells[1];
    int headers = 0;
    for (std::sregex_iterator
           at{cells[column].begin(), cells[column].end(), header},
         end;
         at != end; ++at, ++headers) {
      const auto name = (*at)[1].str();
      const auto here = root / "framework/troupe" / name;
      const auto text
        = text_of(fs::exists(here) ? here : root / "actors/troupe" / name);
      const auto names = names_in(row);
      if (text.empty())
        complain(page, "there is no " + name + ":" + row);
      else if (std::none_of(names.begin(), names.end(), [&](const auto& each) {
                 return mentions(text, each);
               }))
        complain(page, name + " has no name of its row:" + row);
    }
    if (headers == 0 && cells[1].find('`') != std::string::npos
        && cells[1].find("`std::") == std::string::npos)
      complain(page, "no header is named for" + cells[1]);
  }
}

// All C++ below `folder`.
std::vector<fs::path> sources_in(const fs::path& folder) {
  std::vector<fs::path> result;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
      const auto kind = entry.path().extension();
      if (kind == ".cpp" || kind == ".hpp")
        result.push_back(entry.path());
    }
  std::sort(result.begin(), result.end());
  return result;
}

void check_crash_points(const fs::path& root) {
  static const std::regex point{R"q(TROUPE_CRASH_POINT\("([^"]+)"\))q"};
  std::string tests;
  for (const auto& file : sources_in(root / "tests"))
    tests += text_of(file);
  for (const auto* part : {"framework", "actors"})
    for (const auto& file : sources_in(root / part)) {
      const auto text = text_of(file);
      for (std::sregex_iterator at{text.begin(), text.end(), point}, end;
           at != end; ++at) {
        const auto name = (*at)[1].str();
        if (tests.find('"' + name + '"') == std::string::npos
            && tests.find('"' + name + ':') == std::string::npos)
          complain(file, "no test kills a process at " + name);
      }
    }
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: check_references ROOT TESTS\n";
    return 2;
  }
  const fs::path root{argv[1]};
  for (const auto& entry : fs::directory_iterator{root})
    if (entry.path().extension() == ".md")
      check_links(entry.path());
  for (const auto* part : {"docs", "framework", "actors", "examples", "tests"})
    if (fs::is_directory(root / part))
      for (const auto& entry : fs::recursive_directory_iterator{root / part})
        if (entry.path().extension() == ".md"
            && entry.path().lexically_relative(root).string().find("planted")
                 == std::string::npos)
          check_links(entry.path());
  const auto tests = read_tests(argv[2]);
  check_tests(root / "tests/conformance/README.md", tests);
  check_tests(root / "docs/reference/semantics.md", tests);
  check_crash_points(root);
  check_names(root / "docs/reference/from-python.md",
              root / "tests/docs/python_names.txt", "Python");
  check_names(root / "docs/reference/from-caf.md",
              root / "tests/docs/caf_names.txt", "CAF");
  check_includes(root, root / "docs/reference/from-python.md");
  std::cout << complaints << " complaints\n";
  return complaints == 0 ? 0 : 1;
}
