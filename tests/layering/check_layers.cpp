// SPDX-License-Identifier: BSL-1.0
// check_layers ROOT
//
// Fails if a source under ROOT/framework or ROOT/actors includes what its layer
// may not, or asks which CAF it has, and names file, line and rule.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <string>
#include <string_view>

namespace fs = std::filesystem;

namespace {

// Lowest first: an include goes to its own layer or to one before it.
constexpr std::array<std::string_view, 13> layers{
  "base",    "os",        "memory",  "codec", "mailbox", "process", "shared",
  "channel", "transport", "runtime", "sync",  "state",   "pool"};

std::size_t rank(std::string_view layer) {
  return static_cast<std::size_t>(std::find(layers.begin(), layers.end(), layer)
                                  - layers.begin());
}

// Returns why `layer` may not include `header`, or nothing.
std::string complaint(const std::string& layer, const std::string& header,
                      bool quoted) {
  static const std::regex system{
    R"((sys|linux|asm|net|netinet|arpa)/.*|(unistd|fcntl|signal|pthread|poll|)"
    R"(sched|spawn|dirent|termios|syscall|semaphore|ucontext|mqueue|grp|pwd)\.h)"};
  if (quoted)
    return "write <troupe/layer/file.hpp>, as it is spelled when installed";
  if (header.starts_with("troupe/")) {
    const auto target = header.substr(7, header.find('/', 7) - 7);
    if (rank(target) == layers.size())
      return target + " is no layer";
    if (rank(target) > rank(layer))
      return layer + " may not include " + target;
  }
  if (header.starts_with("caf/") && rank(layer) < rank("transport"))
    return "CAF starts at transport";
  if (header.starts_with("boost/interprocess/") && layer != "memory"
      && layer != "shared")
    return "Boost.Interprocess stays in memory and shared";
  if (layer != "os" && std::regex_match(header, system))
    return "system calls are made in os";
  return {};
}

std::size_t check(const fs::path& file, const std::string& layer) {
  static const std::regex include{
    R"re(\s*#\s*include\s*([<"])([^>"]+)[>"].*)re"};
  static const std::regex asks{R"(\s*#.*\bCAF_(MAJOR_|MINOR_)?VERSION\b.*)"};
  std::size_t complaints = 0;
  const auto complain = [&](std::size_t number, const std::string& what,
                            std::string_view why) {
    ++complaints;
    std::cerr << file.string() << ':' << number << ": " << what << ": " << why
              << '\n';
  };
  std::ifstream stream{file};
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    std::smatch match;
    if (std::regex_match(line, asks) && file.filename() != "caf_version.hpp")
      complain(number, line,
               "what CAFs disagree about stays in caf_version.hpp");
    if (!std::regex_match(line, match, include))
      continue;
    const auto why = complaint(layer, match[2], match[1] == "\"");
    if (!why.empty())
      complain(number, match[2], why);
  }
  return complaints;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: check_layers ROOT\n";
    return 2;
  }
  std::size_t files = 0;
  std::size_t complaints = 0;
  for (const auto* top : {"framework/troupe", "actors/troupe"}) {
    const auto root = fs::path{argv[1]} / top;
    if (!fs::exists(root))
      continue;
    for (const auto& entry : fs::recursive_directory_iterator{root}) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp")
        continue;
      const auto layer
        = entry.path().lexically_relative(root).begin()->string();
      if (rank(layer) == layers.size()) {
        ++complaints;
        std::cerr << entry.path().string() << ": " << layer << " is no layer\n";
        continue;
      }
      ++files;
      complaints += check(entry.path(), layer);
    }
  }
  std::cout << files << " files, " << complaints << " complaints\n";
  return files == 0 || complaints != 0 ? 1 : 0;
}
