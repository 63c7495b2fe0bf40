// SPDX-License-Identifier: BSL-1.0

// Programs that end while their pools are at work.

#include <troupe/pool/pool.hpp>

#include <support/launched.hpp>

#include <doctest/doctest.h>

#include <string>

#include <sys/wait.h>

using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("pool_role");

} // namespace

TEST_CASE("exit ends a program whose pools have tasks on the way") {
  launched program{{role, "exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 3);
  // Nobody is started again, and no worker's end is news.
  CHECK(program.output().find("killed") == std::string::npos);
}

TEST_CASE("exit ends a process of the run likewise") {
  launched program{{role, "child_exits"}};
  CHECK(program.wait() == 0);
  CHECK(program.output().find("exited with code 3") != std::string::npos);
}
