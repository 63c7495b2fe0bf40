// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/fork_server.hpp>

#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

using troupe::test::eventually;
using troupe::test::launched;

namespace {

const std::string role = troupe::test::beside_this_program("process_role");

std::int32_t server() {
  return troupe::memory::run_memory::current().header().fork_server.load();
}

void kill_server() {
  REQUIRE(eventually([] { return server() != 0; }));
  const auto old = server();
  ::kill(old, SIGKILL);
  REQUIRE(eventually([old] { return server() != old; }));
}

} // namespace

TEST_CASE("the death of one process that somebody has signalled is told soon") {
  for (const int signal : {SIGTERM, SIGINT}) {
    // The system may be busy now and then.
    auto shortest = std::chrono::nanoseconds::max();
    for (int round = 0; round < 5; ++round) {
      const auto alone = troupe::start([] { ::pause(); });
      const auto pid = alone.pid();
      const auto begin = std::chrono::steady_clock::now();
      ::kill(pid, signal);
      CHECK(alone.join().signal() == signal);
      shortest = std::min<std::chrono::nanoseconds>(
        shortest, std::chrono::steady_clock::now() - begin);
    }
    CHECK(shortest < std::chrono::milliseconds{80});
  }
}

TEST_CASE("SIGINT and SIGQUIT do not disturb the fork server") {
  REQUIRE(eventually([] { return server() != 0; }));
  const auto old = server();
  ::kill(old, SIGINT);
  ::kill(old, SIGQUIT);
  CHECK(troupe::start([] {}).join().success());
  CHECK(server() == old);
}

TEST_CASE("the death of the fork server disturbs no running process") {
  REQUIRE(eventually([] { return server() != 0; }));
  const troupe::queue<int> listening;
  auto returns = troupe::start(
    [](troupe::queue<int> to) {
      // Woken by the test.
      sigset_t wake;
      sigemptyset(&wake);
      sigaddset(&wake, SIGUSR1);
      ::pthread_sigmask(SIG_BLOCK, &wake, nullptr);
      to.put(1);
      int signal = 0;
      ::sigwait(&wake, &signal);
      std::exit(23);
    },
    listening);
  auto killed = troupe::start<troupe::test::sleep_for_ever>();
  CHECK(listening.get() == 1);
  static_cast<void>(killed.pid());
  kill_server();
  CHECK(returns.is_alive());
  CHECK(killed.is_alive());
  CHECK(troupe::start([] { std::exit(3); }).join().code() == 3);
  returns.send_signal(SIGUSR1);
  CHECK(returns.join().code() == 23);
  killed.kill();
  CHECK(killed.join().signal() == SIGKILL);
}

TEST_CASE("an orphan's children, exit code and exception are told as well") {
  const troupe::queue<int> begun;
  const troupe::queue<int> go;
  auto parent = troupe::start(
    [](troupe::queue<int> to, troupe::queue<int> when) {
      auto inner = troupe::start(
        [](troupe::queue<int> tell, troupe::queue<int> wait_for) {
          tell.put(1);
          static_cast<void>(wait_for.get());
          throw std::runtime_error{"an orphan's"};
        },
        to, when);
      const auto status = inner.join();
      std::exit(status.threw() && status.exception_text() == "an orphan's" ? 7
                                                                           : 8);
    },
    begun, go);
  CHECK(begun.get() == 1);
  kill_server();
  go.put(1);
  CHECK(parent.join().code() == 7);
}

TEST_CASE("no start is lost or doubled when the fork server is killed") {
  launched program{{role, "kills_server"}};
  CHECK(program.wait() == 0);
  CHECK(program.output().find("before: exited with code 21")
        != std::string::npos);
}

TEST_CASE("no zombie of a killed fork server stays") {
  for (int round = 0; round < 10; ++round) {
    std::vector<troupe::process> children;
    for (int i = 0; i < 8; ++i)
      children.push_back(troupe::start([] {}));
    kill_server();
    for (auto& child : children)
      CHECK(child.join().success());
  }
  const auto zombies = [] {
    int result = 0;
    auto* const list = ::popen(
      ("ps -o stat= --ppid " + std::to_string(::getpid())).c_str(), "r");
    char line[64];
    while (list != nullptr && std::fgets(line, sizeof line, list) != nullptr)
      result += line[0] == 'Z';
    ::pclose(list);
    return result;
  };
  CHECK(eventually([&] { return zombies() == 0; }));
}

TEST_CASE(
  "a child that the system reaps after the fork server's death is told of") {
  launched program{{role, "reaped_by_the_system"}};
  CHECK(program.wait() == 0);
  CHECK(program.output().find("child: exited with code 255")
        != std::string::npos);
}
