// SPDX-License-Identifier: BSL-1.0

// Ctrl-C and exit in programs with supervisors. Their grace is longer than this
// test may take: whatever ends here ends without it.

#include <troupe/pool/supervisor.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/wait.h>

using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("supervisor_role");

std::size_t count(const launched& program, const std::string& text) {
  std::size_t result = 0;
  for (auto at = program.output().find(text); at != std::string::npos;
       at = program.output().find(text, at + 1))
    ++result;
  return result;
}

troupe::test::launch_options in_terminal() {
  troupe::test::launch_options options;
  options.terminal = true;
  return options;
}

/// Whether the program, which listens, ended by itself with 0, and nothing of
/// its run is left.
bool ends_itself(launched& program, std::uint64_t run) {
  const int status = program.wait();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0
         && troupe::test::eventually(
           [run] { return troupe::test::members_of(run).empty(); });
}

} // namespace

TEST_CASE("a supervisor lives on after Ctrl-C in a program that listens, and "
          "restarts nobody") {
  launched program{{role, "supervises"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  CHECK(ends_itself(program, run));
  CAPTURE(program.output());
  CHECK(count(program, "it lives: 1") == 1);
  CHECK(count(program, "it gave way") == 1);
  CHECK(count(program, "restarted") == 0);
}

TEST_CASE("exit in a report hook of a supervisor ends the program") {
  launched program{{role, "hook_exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 3);
}
