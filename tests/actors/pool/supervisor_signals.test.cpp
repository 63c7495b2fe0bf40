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

using troupe::test::count;
using troupe::test::ends_itself;
using troupe::test::in_terminal;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("supervisor_role");

} // namespace

TEST_CASE("a supervisor lives on after Ctrl-C in a program that listens, and "
          "restarts nobody") {
  launched program{{role, "supervises"}, in_terminal()};
  REQUIRE(program.wait_for("ready"));
  const auto run = troupe::test::run_of(program.pid());
  program.type("\x03");
  CHECK(ends_itself(program, run));
  CAPTURE(program.output());
  CHECK(count(program.output(), "it lives: 1") == 1);
  CHECK(count(program.output(), "it gave way") == 1);
  CHECK(count(program.output(), "restarted") == 0);
}

TEST_CASE("exit in a report hook of a supervisor ends the program") {
  launched program{{role, "hook_exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 3);
}
