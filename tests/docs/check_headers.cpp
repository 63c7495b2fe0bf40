// SPDX-License-Identifier: BSL-1.0
// check_headers ROOT
//
// docs/reference/headers.md lists the public headers: a table for each library,
// in rows that begin with the include. Fails if
//
//   a header of the list is not there, or under the wrong roof
//   an example or a page includes a header that is not in the list
//   from-python.md names one that is not in the list
//   core.hpp includes anything but the list of troupe::core, or actors.hpp
//   anything but the list of troupe::actors and core.hpp

#include "../support/expected_output.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

using names = std::set<std::string>;

int complaints = 0;

void complain(const std::string& where, const std::string& what) {
  ++complaints;
  std::cerr << where << ": " << what << '\n';
}

std::string text_of(const fs::path& file) {
  return expected_output::read_file(file.string()).value_or("");
}

/// What a pattern finds in a text; its first group.
names all_of(const std::string& text, const std::regex& pattern) {
  names result;
  for (std::sregex_iterator at{text.begin(), text.end(), pattern}, end;
       at != end; ++at)
    result.insert((*at)[1].str());
  return result;
}

struct lists {
  names all = {};
  names core = {};
  names actors = {};
};

lists read_lists(const fs::path& root, const fs::path& page) {
  static const std::regex row{R"(\| `(troupe/[a-z_/]+\.hpp)` \| .*)"};
  lists result;
  std::string library;
  for (const auto& line : expected_output::split(text_of(page))) {
    if (line.starts_with("## "))
      library = line.substr(3);
    std::smatch match;
    if (!std::regex_match(line, match, row))
      continue;
    const auto header = match[1].str();
    const auto* const roof = library == "troupe::core"
                                 || header == "troupe/core.hpp"
                                 || header == "troupe/version.hpp"
                               ? "framework"
                               : "actors";
    if (!fs::exists(root / roof / header))
      complain(page.string(), header + " is not under " + roof);
    result.all.insert(header);
    if (library == "troupe::core")
      result.core.insert(header);
    if (library == "troupe::actors"
        && line.find("not in `actors.hpp`") == std::string::npos)
      result.actors.insert(header);
  }
  return result;
}

names includes_of(const fs::path& file) {
  static const std::regex include{R"(#include <(troupe/[a-z_/]+\.hpp)>)"};
  return all_of(text_of(file), include);
}

void check_umbrella(const fs::path& file, const names& wanted) {
  const auto found = includes_of(file);
  for (const auto& each : wanted)
    if (!found.contains(each))
      complain(file.string(), "does not include <" + each + '>');
  for (const auto& each : found)
    if (!wanted.contains(each))
      complain(file.string(), "should not include <" + each + '>');
}

void check_listed(const fs::path& where, const names& used, const names& all) {
  for (const auto& each : used)
    if (!all.contains(each))
      complain(where.string(), each + " is not in the list of public headers");
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: check_headers ROOT\n";
    return 2;
  }
  static const std::regex named{R"([<`](troupe/[a-z_/]+\.hpp)[>`])"};
  static const std::regex of_python{R"(`([a-z]+/[a-z_]+\.hpp)`)"};
  const fs::path root{argv[1]};
  auto public_ones = read_lists(root, root / "docs/reference/headers.md");
  if (public_ones.all.empty())
    complain("docs/reference/headers.md", "lists nothing");
  for (const auto* folder : {"examples", "docs"})
    if (fs::exists(root / folder))
      for (const auto& entry :
           fs::recursive_directory_iterator{root / folder}) {
        const auto kind = entry.path().extension();
        if (kind == ".cpp" || kind == ".hpp")
          check_listed(entry.path(), includes_of(entry.path()),
                       public_ones.all);
        // The design and its decisions speak of what is inside.
        else if (kind == ".md" && entry.path().parent_path().stem() != "design"
                 && entry.path().parent_path().stem() != "decisions")
          check_listed(entry.path(), all_of(text_of(entry.path()), named),
                       public_ones.all);
      }
  const auto python = root / "docs/reference/from-python.md";
  names in_python;
  for (const auto& each : all_of(text_of(python), of_python))
    in_python.insert("troupe/" + each);
  check_listed(python, in_python, public_ones.all);
  check_listed(root / "README.md", all_of(text_of(root / "README.md"), named),
               public_ones.all);
  public_ones.core.insert("troupe/version.hpp");
  check_umbrella(root / "framework/troupe/core.hpp", public_ones.core);
  public_ones.actors.insert("troupe/core.hpp");
  check_umbrella(root / "actors/troupe/actors.hpp", public_ones.actors);
  std::cout << public_ones.all.size() << " public headers, " << complaints
            << " complaints\n";
  return complaints == 0 ? 0 : 1;
}
