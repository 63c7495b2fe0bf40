// SPDX-License-Identifier: BSL-1.0
// check_layers ROOT LAYER…
//
// The layers, lowest first, are folders: framework/os is framework/troupe/os.
// Fails, and names file, line and rule, if a source under ROOT/framework or
// ROOT/actors
//
//   lies in no layer, or has the same name under both roofs; the headers beside
//   the layers (troupe/core.hpp) are for users, and no layer includes them
//   includes a layer above its own, or under framework anything of actors or CAF
//   includes the inside of a folder of a layer: codec/standard/x.hpp is for
//     codec/standard.hpp, and for the files beside it
//   makes system calls or uses Boost.Interprocess where that is not done
//   asks which CAF it has
//
// and if the README.md of a roof shows other layers, or in another order.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr std::string_view roofs[] = {"framework", "actors"};

/// A file under a roof: "framework", "os", "pipe.hpp".
struct place {
  std::string roof;
  std::string layer;
  fs::path within;

  [[nodiscard]] std::string folder() const {
    return roof + '/' + layer;
  }
};

struct checker {
  fs::path root;
  std::vector<std::string> layers = {};
  std::size_t complaints = 0;

  void complain(const std::string& where, std::string_view why) {
    ++complaints;
    std::cerr << where << ": " << why << '\n';
  }

  [[nodiscard]] std::size_t rank(const std::string& folder) const {
    return static_cast<std::size_t>(
      std::find(layers.begin(), layers.end(), folder) - layers.begin());
  }

  [[nodiscard]] bool is_layer(const std::string& folder) const {
    return rank(folder) < layers.size();
  }

  /// What `layer/file.hpp` is under this roof; beside the layers the layer is
  /// empty.
  [[nodiscard]] static place place_of(std::string_view roof,
                                      const fs::path& name) {
    if (!name.has_parent_path())
      return {std::string{roof}, "", name};
    return {std::string{roof}, name.begin()->string(),
            name.lexically_relative(*name.begin())};
  }

  /// Where `troupe/layer/file.hpp` is; under no roof if it is nowhere.
  [[nodiscard]] place find(const std::string& header) const {
    const auto rest = fs::path{header}.lexically_relative("troupe");
    for (const auto roof : roofs)
      if (fs::exists(root / roof / header))
        return place_of(roof, rest);
    return place_of("", rest);
  }

  [[nodiscard]] bool is_layer_somewhere(const std::string& name) const {
    return std::any_of(std::begin(roofs), std::end(roofs), [&](auto roof) {
      return is_layer(std::string{roof} + '/' + name);
    });
  }

  /// Returns why `from` may not include this header of ours, or nothing.
  [[nodiscard]] std::string ours(const place& from,
                                 const std::string& header) const {
    const auto to = find(header);
    if (from.layer.empty()) // a header with all of its library
      return to.roof.empty()         ? "is under neither roof"
             : to.layer == "network" ? "the network is a library apart"
             : to.roof == "actors" && from.roof != to.roof
               ? "stays under its own roof"
               : "";
    if (to.layer.empty())
      return "is for users: include what is needed";
    if (!is_layer_somewhere(to.layer))
      return to.layer + " is no layer";
    if (to.roof.empty())
      return "is under neither roof";
    if (rank(to.folder()) > rank(from.folder()))
      return from.folder() + " may not include " + to.folder();
    const auto inside = to.within.parent_path();
    const auto same = from.folder() == to.folder();
    if (!inside.empty()
        && !(same
             && (from.within.parent_path() == inside
                 || from.within.parent_path() / from.within.stem() == inside)))
      return inside.string() + "/ is inside of " + to.folder()
             + ": include <troupe/" + to.layer + '/' + inside.string()
             + ".hpp>";
    return {};
  }

  /// Returns why `from` may not include `header`, or nothing.
  [[nodiscard]] std::string
  complaint(const place& from, const std::string& header, bool quoted) const {
    static const std::regex system{
      R"((sys|linux|asm|net|netinet|arpa)/.*|(unistd|fcntl|signal|pthread|poll|)"
      R"(sched|spawn|dirent|termios|syscall|semaphore|ucontext|mqueue|grp|pwd)\.h)"};
    if (quoted)
      return "write <troupe/layer/file.hpp>, as it is spelled when installed";
    if (header.starts_with("troupe/"))
      return ours(from, header);
    if (header.starts_with("caf/") && from.roof != "actors")
      return "CAF stays in actors";
    if (header.starts_with("caf/io/") || header.starts_with("caf/openssl/"))
      return "nothing needs CAF's network";
    if ((header.starts_with("openssl/") || header.starts_with("boost/asio"))
        && from.layer != "network")
      return "OpenSSL and Boost.Asio stay in network";
    if (header.starts_with("boost/interprocess/") && from.layer != "memory"
        && from.layer != "shared")
      return "Boost.Interprocess stays in memory and shared";
    if (from.layer != "os" && std::regex_match(header, system))
      return "system calls are made in os";
    return {};
  }

  void check_file(const fs::path& file, const place& from) {
    static const std::regex include{
      R"re(\s*#\s*include\s*([<"])([^>"]+)[>"].*)re"};
    static const std::regex asks{R"(\s*#.*\bCAF_(MAJOR_|MINOR_)?VERSION\b.*)"};
    std::ifstream stream{file};
    std::string line;
    for (std::size_t number = 1; std::getline(stream, line); ++number) {
      const auto where = file.string() + ':' + std::to_string(number) + ": ";
      std::smatch match;
      if (std::regex_match(line, asks) && file.filename() != "caf_version.hpp")
        complain(where + line,
                 "what CAFs disagree about stays in caf_version.hpp");
      if (!std::regex_match(line, match, include))
        continue;
      const auto why = complaint(from, match[2], match[1] == "\"");
      if (!why.empty())
        complain(where + match[2].str(), why);
    }
  }

  /// Returns how many files it has seen.
  std::size_t check_sources() {
    std::size_t files = 0;
    std::set<fs::path> seen;
    for (const auto roof : roofs) {
      const auto top = root / roof / "troupe";
      if (!fs::exists(top))
        continue;
      for (const auto& entry : fs::recursive_directory_iterator{top}) {
        const auto extension = entry.path().extension();
        if (extension != ".hpp" && extension != ".cpp")
          continue;
        const auto name = entry.path().lexically_relative(top);
        const auto from = place_of(roof, name);
        if (!seen.insert(name).second)
          complain(entry.path().string(), "is under both roofs");
        if (!from.layer.empty() && !is_layer(from.folder())) {
          complain(entry.path().string(), from.folder() + " is no layer");
          continue;
        }
        ++files;
        check_file(entry.path(), from);
      }
    }
    return files;
  }

  /// The picture is the first block; a row begins with the layer's name.
  void check_picture(const std::string& roof) {
    static const std::regex row{R"(\s*([a-z_]+)\s\s+\S.*)"};
    const auto page = root / roof / "README.md";
    if (!fs::exists(page))
      return;
    std::vector<std::string> shown;
    std::ifstream stream{page};
    bool inside = false;
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with("```")) {
        if (inside)
          break;
        inside = true;
      }
      std::smatch match;
      if (inside && std::regex_match(line, match, row))
        shown.push_back(roof + '/' + match[1].str());
    }
    std::vector<std::string> wanted;
    for (const auto& each : layers)
      if (each.starts_with(roof + '/'))
        wanted.insert(wanted.begin(), each);
    if (shown == wanted)
      return;
    std::string list;
    for (const auto& each : wanted)
      list += ' ' + each;
    complain(page.string(), "the picture should show, from above:" + list);
  }
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: check_layers ROOT LAYER...\n";
    return 2;
  }
  checker self{argv[1], {argv + 2, argv + argc}};
  const auto files = self.check_sources();
  for (const auto roof : roofs)
    self.check_picture(std::string{roof});
  std::cout << files << " files, " << self.complaints << " complaints\n";
  return files == 0 || self.complaints != 0 ? 1 : 0;
}
