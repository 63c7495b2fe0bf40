// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/child.hpp>

#include <doctest/doctest.h>

#include <csignal>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

namespace {

/// A child that the calling thread traces, and that has stopped.
std::int32_t make_stopped_child() {
  const auto pid = ::fork();
  if (pid == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
      ::_exit(1);
    static_cast<void>(::raise(SIGSTOP));
    ::_exit(7);
  }
  siginfo_t info{};
  // Left to be told again.
  REQUIRE(
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WEXITED | WNOWAIT)
    == 0);
  return pid;
}

/// False where processes may not be traced.
bool has_stopped(std::int32_t pid) {
  if (!os::peek_child(pid).ended)
    return true;
  os::reap(pid);
  return false;
}

} // namespace

TEST_CASE("the stop of a traced child is no end, and stays to be told") {
  const auto pid = make_stopped_child();
  if (!has_stopped(pid))
    return;
  CHECK(os::peek_child(pid).is_child);
  CHECK_FALSE(os::peek_ended_child());
  int status = 0;
  CHECK(::waitpid(pid, &status, WNOHANG) == pid);
  CHECK(WIFSTOPPED(status));
  REQUIRE(::ptrace(PTRACE_CONT, pid, nullptr, nullptr) == 0);
  const auto end = os::reap(pid);
  REQUIRE(end);
  CHECK_FALSE(end->signaled);
  CHECK(end->code == 7);
}

TEST_CASE("a traced child that is killed at its stop is reaped as killed") {
  const auto pid = make_stopped_child();
  if (!has_stopped(pid))
    return;
  CHECK(::kill(pid, SIGKILL) == 0);
  const auto end = os::reap(pid);
  REQUIRE(end);
  CHECK(end->pid == pid);
  CHECK(end->signaled);
  CHECK(end->code == SIGKILL);
  CHECK_FALSE(os::peek_child(pid).is_child);
}

TEST_CASE("who is no child is not waited for") {
  CHECK_FALSE(os::reap(::getppid()));
  CHECK_FALSE(os::peek_child(::getppid()).is_child);
}
