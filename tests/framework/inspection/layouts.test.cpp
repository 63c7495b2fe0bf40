// SPDX-License-Identifier: BSL-1.0
// The sums that tell one layout of shared memory from another leave out nothing
// that is shared: read from the source.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

const std::filesystem::path framework{TROUPE_FRAMEWORK};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream from{file};
  REQUIRE(from);
  return {std::istreambuf_iterator<char>{from}, {}};
}

std::vector<std::filesystem::path> files_of(const std::string& folder) {
  std::vector<std::filesystem::path> result;
  for (const auto& each :
       std::filesystem::directory_iterator{framework / folder})
    if (each.path().extension() == ".hpp" || each.path().extension() == ".cpp")
      result.push_back(each.path());
  std::sort(result.begin(), result.end());
  REQUIRE_FALSE(result.empty());
  return result;
}

/// What `pattern` finds in a text, its first group.
std::set<std::string> found_in(const std::string& text, const char* pattern) {
  const std::regex what{pattern};
  std::set<std::string> result;
  for (std::sregex_iterator at{text.begin(), text.end(), what}, end; at != end;
       ++at)
    result.insert((*at)[1]);
  return result;
}

/// The structures of a header that have atomic members: what several processes
/// write.
std::set<std::string> shared_structures(const std::string& header) {
  std::set<std::string> result;
  const std::regex begin{"\n(?:struct|class) (\\w+)(?: final)? \\{"};
  for (std::sregex_iterator at{header.begin(), header.end(), begin}, end;
       at != end; ++at) {
    const auto from = static_cast<std::size_t>(at->position());
    const auto body = header.substr(from, header.find("\n};", from) - from);
    if (body.find("std::atomic<") != body.npos
        || body.find("os::wait_word ") != body.npos)
      result.insert((*at)[1]);
  }
  return result;
}

} // namespace

TEST_CASE("the sum of the memory layer has each structure that is shared") {
  const auto sum = text_of(framework / "memory" / "layout.cpp");
  const auto summed = found_in(sum, "sizeof\\((\\w+)\\)");
  // Of one process alone, though its threads share it.
  const std::set<std::string> private_ones{"wait_note", "reference", "own_row",
                                           "object_side"};
  // A part of others, whose sizes have its own in them.
  const std::set<std::string> parts{"slot_text"};
  std::size_t checked = 0;
  for (const auto& file : files_of("memory")) {
    if (file.extension() != ".hpp")
      continue;
    for (const auto& name : shared_structures(text_of(file))) {
      CAPTURE(name);
      if (private_ones.contains(name) || parts.contains(name))
        continue;
      // A pool's is an object: its kind has a sum of its own.
      CHECK((summed.contains(name) || name == "pool_counters"));
      ++checked;
    }
  }
  CHECK(checked >= 10);
}

TEST_CASE("each structure that a look reads has a sum") {
  std::string sums = text_of(framework / "memory" / "layout.cpp")
                     + text_of(framework / "inspection" / "layouts.cpp");
  // A kind's own function, where that is in its class's header or source.
  for (const auto* folder : {"mailbox", "sync", "state", "channel", "memory"})
    for (const auto& file : files_of(folder))
      if (const auto text = text_of(file);
          text.find("layout_of(") != text.npos
          || text.find("layout_of_parts(") != text.npos)
        sums += text;
  std::string looks;
  for (const auto& file : files_of("inspection"))
    looks += text_of(file);
  auto read = found_in(looks, "copy_of<(?:\\w+::)*(\\w+)>");
  read.merge(found_in(looks, "offsetof\\((?:\\w+::)*(\\w+),"));
  read.erase("T");
  for (const auto& name : read) {
    CAPTURE(name);
    CHECK(sums.find("sizeof(" + name + ")") != sums.npos);
  }
  CHECK(read.size() >= 15);
}
