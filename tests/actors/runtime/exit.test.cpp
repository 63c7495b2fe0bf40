// SPDX-License-Identifier: BSL-1.0

// Processes with actors that end by `exit`, whoever calls it.

#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using troupe::test::launched;

namespace {

/// A program that has ended in a role.
struct ended {
  explicit ended(const std::string& role) {
    std::string path = std::filesystem::temp_directory_path()
                       / "troupe_exit_XXXXXX";
    ::close(::mkstemp(path.data()));
    troupe::test::launch_options options;
    options.environment = {"RUNTIME_ROLE_FILE=" + path};
    launched program{{troupe::test::beside_this_program("runtime_role"), role},
                     options};
    status = program.wait();
    output = program.output();
    std::getline(std::ifstream{path}, file);
    std::filesystem::remove(path);
  }

  [[nodiscard]] bool says(const std::string& text) const {
    return output.find(text) != std::string::npos;
  }

  /// How many processes have destroyed their static objects.
  [[nodiscard]] int destroyed() const {
    const std::string text = "a static object; ";
    int count = 0;
    for (auto at = output.find(text); at != std::string::npos;
         at = output.find(text, at + 1))
      ++count;
    return count;
  }

  int status = 0;
  std::string output;
  std::string file;
};

const std::string handlers = "the second handler; the first handler; ";

} // namespace

TEST_CASE("exit beside the main thread runs the handlers, writes all output "
          "and keeps its code") {
  for (const std::string who : {"actor", "thread"}) {
    CAPTURE(who);
    const ended root{who};
    CHECK(WEXITSTATUS(root.status) == 7);
    CHECK(root.says(handlers));
    CHECK(root.says("from C++; "));
    CHECK(root.file == "a file of the user");
    const ended child{who + "_in_child"};
    CHECK(child.says("exited with code 7"));
    CHECK(child.says(handlers));
    CHECK(child.says("from C++; "));
    CHECK(child.file == "a file of the user");
  }
}

TEST_CASE("where threads run on, static objects are left alone") {
  for (const std::string who : {"actor", "thread"}) {
    CAPTURE(who);
    CHECK(ended{who}.destroyed() == 0);
    // Of the root.
    CHECK(ended{who + "_in_child"}.destroyed() == 1);
  }
}

TEST_CASE("exit in the main thread destroys static objects too") {
  const ended root{"main"};
  CHECK(WEXITSTATUS(root.status) == 7);
  CHECK(root.says(handlers));
  CHECK(root.destroyed() == 1);
  const ended child{"main_in_child"};
  CHECK(child.says(handlers));
  CHECK(child.destroyed() == 2);
}

TEST_CASE("the code of an exit counts, and not how main ends meanwhile") {
  for (const std::string how : {"main_returns", "main_exits"}) {
    CAPTURE(how);
    CHECK(WEXITSTATUS(ended{how}.status) == 7);
  }
}

TEST_CASE("a copy that the user forked off may exit, actors or not") {
  const ended program{"copy_exits"};
  CHECK(program.status == 0);
  CHECK(program.says("copy: 7"));
}
