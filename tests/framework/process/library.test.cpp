// SPDX-License-Identifier: BSL-1.0

// Functions of libraries, and what becomes of them when another build takes the
// place of the library while the program runs.

#include <support/folder.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

namespace fs = std::filesystem;

using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("library_role");

/// A folder with the library that `library_role` loads, and its next release.
class installation {
public:
  explicit installation(const std::string& builds) {
    fs::copy_file(fs::path{TROUPE_LIBRARIES} / (builds + ".so"), library());
    fs::copy_file(fs::path{TROUPE_LIBRARIES} / (builds + "_next.so"), next());
  }

  [[nodiscard]] fs::path library() const {
    return folder_.path() / "libwork.so";
  }

  [[nodiscard]] fs::path next() const {
    return folder_.path() / "libnext.so";
  }

  [[nodiscard]] std::string run(std::vector<std::string> command) const {
    command.insert(command.begin(), role);
    troupe::test::launch_options options;
    options.environment.push_back("LD_LIBRARY_PATH=" + folder_.path().string());
    launched program{command, options};
    const int status = program.wait();
    INFO(program.output());
    CHECK(status == 0);
    return program.output();
  }

private:
  troupe::test::folder folder_;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (auto at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1))
    ++result;
  return result;
}

const std::string refusal
  = "libwork.so in this process is another build than in the one that asks: it "
    "was replaced on disk while the program runs; start the program anew";

} // namespace

TEST_CASE("a library that is replaced while the program runs: its functions "
          "are refused, not confused") {
  for (const std::string builds : {"with_id", "without_id"})
    for (const std::string how : {"spawn", "server"}) {
      CAPTURE(builds);
      CAPTURE(how);
      const installation here{builds};
      const auto output
        = here.run({how, here.next().string(), here.library().string()});
      CAPTURE(output);
      CHECK(count(output, "before: 42\n") == 1);
      CHECK(count(output, "before: 38\n") == 1);
      CHECK(count(output, "remote_exception, get the result of process ") == 2);
      CHECK(count(output, "run the function of a process: " + refusal) >= 2);
      CHECK(count(output, "own: 49\n") == 1);
    }
}

TEST_CASE("the functions of a library that is replaced by the same build are "
          "found") {
  for (const std::string builds : {"with_id", "without_id"})
    for (const std::string how : {"spawn", "server"}) {
      CAPTURE(builds);
      CAPTURE(how);
      const installation here{builds};
      const auto copy = here.library().string() + ".copy";
      fs::copy_file(here.library(), copy);
      const auto output = here.run({how, copy, here.library().string()});
      CAPTURE(output);
      CHECK(count(output, "after: 42\n") == 1);
      CHECK(count(output, "after: 38\n") == 1);
    }
}

TEST_CASE("children of the fork server that has the library are not disturbed "
          "by its replacement") {
  const installation here{"with_id"};
  const auto output
    = here.run({"fork", here.next().string(), here.library().string()});
  CAPTURE(output);
  CHECK(count(output, "after: 42\n") == 1);
  CHECK(count(output, "after: 38\n") == 1);
}

TEST_CASE("a library that is loaded after the program was made is named in the "
          "error") {
  const installation here{"with_id"};
  const auto output
    = here.run({"plugin", std::string{TROUPE_LIBRARIES} + "/plugin.so"});
  CAPTURE(output);
  CHECK(count(output, "remote_exception, get the result of process ") == 1);
  CHECK(count(output, "plugin.so is not loaded here; link the program with "
                      "that library, or load it before troupe::program is "
                      "made")
        >= 1);
}
