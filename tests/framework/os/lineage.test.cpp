// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/lineage.hpp>

#include <troupe/os/child.hpp>
#include <troupe/os/process_id.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

namespace {

/// Forks a process that does what `body` says, and ends with what that returns.
template <class Body>
pid_t fork_one(Body body) {
  const auto pid = ::fork();
  if (pid == 0)
    ::_exit(body());
  REQUIRE(pid > 0);
  return pid;
}

/// Waits until a child has ended, and leaves it a zombie.
void await_end(pid_t pid) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT)
          == 0);
}

/// Does `body` in a process that has no root supervisor, which would reap what
/// bears a mark. Returns which of its checks failed, 0 for none.
template <class Body>
int first_failure_of(Body body) {
  const auto pid = fork_one([&] {
    try {
      return body();
    } catch (...) {
      return 99; // a REQUIRE
    }
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("a mark is borne by all that descend, through exec, and by zombies") {
  CHECK(first_failure_of([] {
          const auto marked = fork_one([] {
            if (!os::mark_lineage(12345))
              return 2;
            const auto inner = ::fork();
            if (inner == 0)
              ::execl("/bin/true", "true", nullptr);
            await_end(inner);
            // Its own children have the mark that it has itself.
            const bool other = os::has_other_lineage(inner);
            ::waitpid(inner, nullptr, 0);
            return other ? 1 : 0;
          });
          await_end(marked);
          if (!os::has_other_lineage(marked))
            return 1;
          int status = 0;
          if (::waitpid(marked, &status, 0) != marked)
            return 2;
          return status == 0 ? 0 : 3;
        })
        == 0);
}

TEST_CASE("a grandchild that is adopted is told from a child by its mark") {
  CHECK(first_failure_of([] {
          os::adopt_orphans(true);
          int ends[2];
          REQUIRE(::pipe(ends) == 0);
          const auto marked = fork_one([ends] {
            os::mark_lineage(54321);
            const auto inner = ::fork();
            if (inner == 0)
              ::execl("/bin/true", "true", nullptr);
            return ::write(ends[1], &inner, sizeof inner) == sizeof inner ? 0
                                                                          : 1;
          });
          pid_t grandchild = 0;
          REQUIRE(::read(ends[0], &grandchild, sizeof grandchild)
                  == sizeof grandchild);
          if (::waitpid(marked, nullptr, 0) != marked)
            return 1;
          // It is ours by now.
          await_end(grandchild);
          if (!os::has_other_lineage(grandchild))
            return 2;
          return ::waitpid(grandchild, nullptr, 0) == grandchild ? 0 : 3;
        })
        == 0);
}

TEST_CASE("who does not descend bears no mark") {
  const auto plain = fork_one([] { return 0; });
  await_end(plain);
  CHECK_FALSE(os::has_other_lineage(plain));
  CHECK_FALSE(os::has_other_lineage(::getpid()));
  ::waitpid(plain, nullptr, 0);
}

TEST_CASE("children are listed, ended or not") {
  const auto ended = fork_one([] { return 0; });
  await_end(ended);
  const auto living = fork_one([] {
    ::pause();
    return 0;
  });
  const auto listed = os::children();
  for (const auto pid : {ended, living})
    CHECK(std::find(listed.begin(), listed.end(), pid) != listed.end());
  ::kill(living, SIGKILL);
  ::waitpid(ended, nullptr, 0);
  ::waitpid(living, nullptr, 0);
}

TEST_CASE("a pidfd means its own child, and no later one") {
  const auto child = fork_one([] { return 7; });
  const auto ended = os::open_pidfd(child);
  await_end(child);
  const auto state = os::peek_child(child, ended.get());
  REQUIRE(state.ended);
  CHECK(state.ended->code == 7);
  os::reap(child, ended.get());
  const auto other = fork_one([] { return 8; });
  await_end(other);
  // As if the number of the first had been given to the second.
  CHECK_FALSE(os::peek_child(other, ended.get()).is_child);
  os::reap(other, ended.get());
  int status = 0;
  CHECK(::waitpid(other, &status, 0) == other);
  CHECK(WEXITSTATUS(status) == 8);
}
