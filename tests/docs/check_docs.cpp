// SPDX-License-Identifier: BSL-1.0
// check_docs [--update] ROOT PROGRAMS
//
// Compares what the pages (*.md of ROOT, docs/**/*.md) show with the programs
// that they name:
//
//   <!-- from: examples/tutorial/01_process.cpp#start -->  before a ```cpp block
//   <!-- output: 01_process -->                            before a ```text block
//
// A region stands in its program between `//[start` and `//]`; what lies
// between `//<-` and `//->` is not shown; `#all` is the whole file. `…` in an
// output block matches as in expected_output.hpp; `<!-- output: x unordered
// -->` leaves the order free. PROGRAMS lists `group|name|path|…`.

#include "regions.hpp"

#include "../support/expected_output.hpp"

#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

namespace fs = std::filesystem;
using expected_output::lines;

namespace {

using regions::trim;

struct checker {
  fs::path root;
  bool update;
  std::map<std::string, std::string> programs = {};
  std::set<std::string> shown = {};
  std::map<std::string, expected_output::run_result> ran = {};
  int complaints = 0;

  void complain(const std::string& where, const std::string& what) {
    ++complaints;
    std::cerr << where << ": " << what << '\n';
  }

  const expected_output::run_result& run(const std::string& program) {
    if (!ran.contains(program))
      ran[program] = expected_output::run("'" + programs[program] + "'");
    return ran[program];
  }

  // What a block after `marker` must hold; nothing if it may hold anything.
  std::optional<lines> wanted(const std::string& where,
                              const std::string& language,
                              const std::string& marker, const lines& block) {
    std::istringstream words{marker};
    std::string open, kind, subject, option;
    words >> open >> kind >> subject >> option;
    if ((language == "cpp" || language == "c++" || language == "cxx")
        && kind != "from:") {
      complain(where, "a cpp block without <!-- from: FILE#REGION -->");
    } else if (kind == "from:") {
      const auto file = root / subject.substr(0, subject.find('#'));
      const auto all = regions::of(file);
      const auto found = all.find(subject.substr(subject.find('#') + 1));
      shown.insert(subject);
      if (found != all.end())
        return found->second;
      complain(where, "there is no " + subject);
    } else if (kind == "output:") {
      if (!programs.contains(subject)) {
        complain(where, "there is no program " + subject);
        return std::nullopt;
      }
      const auto& [status, text] = run(subject);
      if (status != 0)
        complain(where, subject + " exits with " + std::to_string(status));
      auto pattern = block;
      if (option == "unordered")
        pattern.insert(pattern.begin(), "# unordered");
      const auto real = expected_output::split(text);
      return expected_output::matches(pattern, real) ? block : real;
    }
    return std::nullopt;
  }

  void check(const fs::path& page) {
    const auto text = *expected_output::read_file(page);
    const auto old = expected_output::split(text);
    lines updated;
    std::string marker;
    for (std::size_t i = 0; i < old.size(); ++i) {
      updated.push_back(old[i]);
      if (!trim(old[i]).starts_with("```")) {
        if (!old[i].empty())
          marker = old[i].starts_with("<!-- ") ? old[i] : "";
        continue;
      }
      const auto where = page.lexically_relative(root).string() + ':'
                         + std::to_string(i + 1);
      lines block;
      while (++i < old.size() && trim(old[i]) != "```")
        block.push_back(old[i]);
      std::string language;
      std::istringstream{trim(updated.back()).substr(3)} >> language;
      const auto want = wanted(where, language, marker, block);
      if (want && *want != block && !update) {
        complain(where, "differs from " + marker + "; it should be:");
        for (const auto& line : *want)
          std::cerr << "    " << line << '\n';
      }
      const auto& now = want ? *want : block;
      updated.insert(updated.end(), now.begin(), now.end());
      if (i < old.size())
        updated.push_back(old[i]);
      else
        complain(where, "the block is not closed");
      marker.clear();
    }
    if (update && updated != old) {
      std::ofstream file{page, std::ios::binary};
      for (const auto& line : updated)
        file << line << '\n';
      std::cout << "updated " << page.string() << '\n';
    }
  }
};

// All files below `folder` that end like one of these.
std::vector<fs::path> files_in(const fs::path& folder,
                               const std::set<std::string>& endings) {
  std::vector<fs::path> result;
  if (fs::exists(folder))
    for (const auto& entry : fs::recursive_directory_iterator{folder})
      if (endings.contains(entry.path().extension()))
        result.push_back(entry.path());
  return result;
}

} // namespace

int main(int argc, char** argv) {
  const auto update = argc > 1 && std::string_view{argv[1]} == "--update";
  if (argc != 3 + update) {
    std::cerr << "usage: check_docs [--update] ROOT PROGRAMS\n";
    return 2;
  }
  checker self{argv[1 + update], update};
  std::ifstream list{argv[2 + update]};
  std::string group, name, component, path, rest;
  while (std::getline(list, group, '|') && std::getline(list, name, '|')
         && std::getline(list, component, '|') && std::getline(list, path, '|')
         && std::getline(list, rest))
    if (!path.empty())
      self.programs[name] = path;
  auto pages = files_in(self.root / "docs", {".md"});
  for (const auto& entry : fs::directory_iterator{self.root})
    if (entry.path().extension() == ".md")
      pages.push_back(entry.path());
  for (const auto& page : pages)
    self.check(page);
  for (const auto* folder : {"examples", "tests/docs/contributing"})
    for (const auto& each : files_in(self.root / folder, {".cpp", ".hpp"}))
      for (const auto& [region, text] : regions::of(each)) {
        const auto file = each.lexically_relative(self.root).string();
        if (region != "all" && !self.shown.contains(file + '#' + region))
          self.complain(file, "region " + region + " is shown nowhere");
      }
  std::cout << pages.size() << " pages, " << self.complaints << " complaints\n";
  return self.complaints == 0 ? 0 : 1;
}
