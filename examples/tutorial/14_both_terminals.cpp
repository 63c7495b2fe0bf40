// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 14: what two terminals show in which PROGRAM runs.

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdlib.h>
#include <string>

namespace {

/// A terminal in which the program runs.
class terminal {
public:
  terminal(const std::string& program, const std::string& option)
    : stream_(::popen(command(program, option).c_str(), "r"), ::pclose) {
  }

  /// The next line that it shows; empty at the end.
  std::string line() {
    std::string text;
    for (int letter = 0; (letter = std::fgetc(stream_.get())) != EOF;) {
      text += static_cast<char>(letter);
      if (letter == '\n')
        break;
    }
    return text;
  }

private:
  static std::string command(const std::string& program,
                             const std::string& option) {
    const auto place
      = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    std::string made{"'"};
    made += (place / program).string();
    return made + "' " + option + " 2>&1";
  }

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream_;
};

} // namespace

int main() {
  const std::string program{PROGRAM};
  ::setenv("TROUPE_KEY", "not so secret, for an example", 1);
  terminal first{program, "--troupe.listen=127.0.0.1:0"};
  std::string shown{"a$ ./"};
  shown += program + " --troupe.listen=127.0.0.1:0\n" + first.line();
  const auto where = shown.substr(shown.rfind(' ') + 1,
                                  shown.size() - shown.rfind(' ') - 2);
  const auto options = "--troupe.join=" + where + " --troupe.name=kitchen";
  terminal second{program, options};
  for (auto line = first.line(); !line.empty(); line = first.line())
    shown += line;
  shown += "\nb$ ./";
  shown += program + ' ' + options + '\n';
  for (auto line = second.line(); !line.empty(); line = second.line())
    shown += line;
  std::cout << shown;
}
