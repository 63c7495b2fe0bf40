// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/process_id.hpp>

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <csignal>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = troupe::os;

namespace {

/// A child that waits to be killed, and its identity.
struct sleeper {
  sleeper() {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid = ::fork();
    if (pid == 0) {
      // A name that makes /proc/PID/stat hard to read.
      ::prctl(PR_SET_NAME, ") R 1 2 (");
      const auto self = os::this_process_id();
      const auto sent = ::write(ends[1], &self, sizeof self);
      static_cast<void>(sent);
      for (;;)
        ::pause();
    }
    REQUIRE(::read(ends[0], &id, sizeof id) == sizeof id);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  pid_t pid = 0;
  os::process_id id;
};

} // namespace

TEST_CASE("a process knows itself") {
  const auto self = os::this_process_id();
  CHECK(self.pid == ::getpid());
  CHECK(self.start_time > 0);
  CHECK(self == os::this_process_id());
  CHECK(os::is_running(self));
  CHECK(os::this_thread_id() == ::gettid());
}

TEST_CASE("a process runs until it is dead, be it unreaped") {
  const sleeper child;
  CHECK(child.id.pid == child.pid);
  CHECK(os::is_running(child.id));
  const auto ended = os::open_pidfd(child.pid);
  CHECK(os::send_signal(child.id, SIGKILL));
  pollfd waiting{ended.get(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 20'000) == 1);
  CHECK_FALSE(os::is_running(child.id));
}

TEST_CASE("a number that was given to another process is not mistaken") {
  const sleeper child;
  auto earlier = child.id;
  --earlier.start_time;
  CHECK_FALSE(os::is_running(earlier));
  CHECK_FALSE(os::send_signal(earlier, SIGKILL));
  CHECK(os::is_running(child.id));
}

TEST_CASE("a process that is gone cannot be watched or signalled") {
  os::process_id id;
  {
    const sleeper child;
    id = child.id;
  }
  CHECK_FALSE(os::is_running(id));
  CHECK_FALSE(os::send_signal(id, SIGKILL));
  CHECK_THROWS_AS(static_cast<void>(os::open_pidfd(id.pid)),
                  troupe::os_failure);
  CHECK_FALSE(os::is_running({}));
  CHECK_FALSE(os::send_signal({}, SIGKILL));
  CHECK_FALSE(os::send_signal({-1, 0}, SIGKILL));
}

TEST_CASE("signals have their short names") {
  CHECK(os::signal_name(SIGKILL) == "SIGKILL");
  CHECK(os::signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(os::signal_name(64) == "signal 64");
}

TEST_CASE("a process that was forked by whatever call knows its own number") {
  const auto before = os::this_pid();
  CHECK(before == ::getpid());
  CHECK(os::this_pid() == before);
  const auto check_in_child = [&](auto fork) {
    const auto child = static_cast<pid_t>(fork());
    REQUIRE(child >= 0);
    if (child == 0) {
      const bool right = os::this_pid() == ::syscall(SYS_getpid)
                         && os::this_pid() != before
                         && os::this_process_id().pid == os::this_pid();
      ::_exit(right ? 0 : 1);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(os::this_pid() == before);
  };
  check_in_child([] { return ::fork(); });
  // Runs none of the handlers that libraries have for a fork.
  check_in_child([] {
    return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  });
}
