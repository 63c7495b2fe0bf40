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

TEST_CASE("exit in a thread counts while main waits for a pool") {
  launched program{{role, "thread_exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 3);
  CHECK(program.output().find("terminate called") == std::string::npos);
  launched parent{{role, "child_thread_exits"}};
  CHECK(parent.wait() == 0);
  CHECK(parent.output().find("exited with code 3") != std::string::npos);
  CHECK(parent.output().find("ended by exception") == std::string::npos);
}

TEST_CASE("exit ends a program whose threads wait for a pool that lives on") {
  launched program{{role, "main_exits"}};
  CHECK(WEXITSTATUS(program.wait()) == 3);
  CHECK(program.output().find("terminate called") == std::string::npos);
}
