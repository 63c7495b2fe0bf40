// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/lineage.hpp>

#include <troupe/os/child.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/start.hpp>

#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

namespace {

/// Waits until this program's own guardian has looked at its children for the
/// last time: it reaps those that bear a mark, and these tests make some.
void await_guardian() {
  troupe::start([] {}).join();
  // Whoever has served once has told the guardian so before.
  REQUIRE(troupe::test::eventually([] {
    return std::ranges::any_of(
      std::filesystem::directory_iterator{"/proc/self/task"},
      [](const auto& thread) {
        std::string name;
        std::getline(std::ifstream{thread.path() / "comm"}, name);
        return name == "troupe-guard"
               && troupe::test::activity_of(std::stoi(thread.path().filename()))
                    == 'S';
      });
  }));
}

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

} // namespace

TEST_CASE("a mark is borne by all that descend, through exec, and by zombies") {
  await_guardian();
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
  CHECK(os::has_other_lineage(marked));
  int status = 0;
  CHECK(::waitpid(marked, &status, 0) == marked);
  CHECK(status == 0);
}

TEST_CASE("a grandchild that is adopted is told from a child by its mark") {
  await_guardian();
  const bool before = os::adopt_orphans(true);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto marked = fork_one([ends] {
    os::mark_lineage(54321);
    const auto inner = ::fork();
    if (inner == 0)
      ::execl("/bin/true", "true", nullptr);
    return ::write(ends[1], &inner, sizeof inner) == sizeof inner ? 0 : 1;
  });
  pid_t grandchild = 0;
  REQUIRE(::read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  REQUIRE(::waitpid(marked, nullptr, 0) == marked);
  // It is ours by now.
  await_end(grandchild);
  CHECK(os::has_other_lineage(grandchild));
  CHECK(::waitpid(grandchild, nullptr, 0) == grandchild);
  os::adopt_orphans(before);
  ::close(ends[0]);
  ::close(ends[1]);
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
