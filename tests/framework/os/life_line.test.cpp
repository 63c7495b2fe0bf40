// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/life_line.hpp>

#include <doctest/doctest.h>

#include <csignal>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

namespace {

/// Forks a process that hangs on `line` and sleeps. Returns once it is armed.
pid_t fork_armed(os::life_line& line) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const auto pid = ::fork();
  if (pid == 0) {
    line.writer.reset();
    const auto armed = os::arm_life_line(line.reader.get());
    const auto sent = ::write(ready[1], "", 1);
    static_cast<void>(sent);
    for (;;)
      ::pause();
  }
  ::close(ready[1]);
  char byte = 0;
  CHECK(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  return pid;
}

} // namespace

TEST_CASE("who hangs on the line is killed when the root lets go") {
  auto line = os::make_life_line();
  const auto first = fork_armed(line);
  const auto second = fork_armed(line);
  CHECK(::waitpid(first, nullptr, WNOHANG) == 0);
  line.writer.reset();
  for (const auto pid : {first, second}) {
    int status = 0;
    CHECK(::waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
  }
}

TEST_CASE("who hangs on the line dies with a root that is killed") {
  // The grandchild's end shows in a pipe that it alone holds open.
  int alive[2];
  REQUIRE(::pipe(alive) == 0);
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const auto root = ::fork();
  if (root == 0) {
    ::close(alive[0]);
    auto line = os::make_life_line();
    const auto child = fork_armed(line);
    ::close(alive[1]);
    const auto sent = ::write(told[1], &child, sizeof child);
    static_cast<void>(sent);
    for (;;)
      ::pause();
  }
  ::close(alive[1]);
  pid_t child = 0;
  REQUIRE(::read(told[0], &child, sizeof child) == sizeof child);
  ::kill(root, SIGKILL);
  ::waitpid(root, nullptr, 0);
  pollfd ended{alive[0], POLLIN, 0};
  CHECK(::poll(&ended, 1, 20'000) == 1);
  ::close(alive[0]);
  ::close(told[0]);
  ::close(told[1]);
}

TEST_CASE("who takes hold of the line too late is killed at once") {
  auto line = os::make_life_line();
  line.writer.reset();
  const auto pid = ::fork();
  if (pid == 0) {
    const auto armed = os::arm_life_line(line.reader.get());
    ::_exit(0);
  }
  int status = 0;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status));
}
