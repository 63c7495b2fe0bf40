// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/process.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/sanitized.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using troupe::start_method;
using troupe::start_options;
using troupe::test::await;
using troupe::test::await_blocked;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

namespace {

void nothing() {
}

int code_after(int code) {
  std::exit(code);
}

constexpr std::array methods{start_method::fork_server, start_method::spawn};

start_options by(start_method method) {
  start_options options;
  options.method = method;
  return options;
}

start_options named(const std::string& name) {
  start_options options;
  options.name = name;
  return options;
}

start_options daemon_by(start_method method) {
  auto options = by(method);
  options.daemon = true;
  return options;
}

} // namespace

TEST_CASE("a process runs its function and ends with status 0") {
  for (const auto method : methods) {
    auto child = troupe::start<nothing>(by(method));
    CHECK(child.joinable());
    CHECK(child.pid() > 0);
    CHECK(child.pid() != ::getpid());
    const auto status = child.join();
    CHECK(status.success());
    CHECK(status.code() == 0);
    CHECK(status.description() == "exited with code 0");
    CHECK_FALSE(child.is_alive());
    CHECK(child.join().success());
  }
}

TEST_CASE("a process that says nothing starts by the method that was set") {
  const auto method_of_child = [](const start_options& options = {}) {
    const auto child = troupe::start<nothing>(options);
    const auto& slot
      = troupe::memory::run_memory::current().slot(child.view().id().index);
    return static_cast<start_method>(slot.method.load());
  };
  CHECK(troupe::get_start_method() == start_method::fork_server);
  CHECK(method_of_child() == start_method::fork_server);
  troupe::set_start_method(start_method::spawn);
  CHECK(troupe::get_start_method() == start_method::spawn);
  CHECK(method_of_child() == start_method::spawn);
  CHECK(method_of_child(by(start_method::fork_server))
        == start_method::fork_server);
  troupe::set_start_method(start_method::fork_server);
  CHECK(method_of_child() == start_method::fork_server);
}

TEST_CASE("a join with a limit says whether it timed out") {
  for (const auto method : methods) {
    auto child = troupe::start<sleep_for_ever>(by(method));
    CHECK_FALSE(child.join_for(10ms).has_value());
    CHECK_FALSE(child.join_for(-1s).has_value());
    CHECK_FALSE(child.join_until(std::chrono::system_clock::now() + 10ms));
    CHECK_FALSE(child.status().has_value());
    CHECK(child.is_alive());
    child.kill();
    REQUIRE(child.join_for(20s).has_value());
    CHECK(child.join_for(0s).has_value());
    CHECK(child.status()->signal() == SIGKILL);
  }
}

TEST_CASE("the exit code of exit and _exit arrives") {
  for (const auto method : methods) {
    CHECK(troupe::start<code_after>(by(method), 7).join().code() == 7);
    const auto status = troupe::start(by(method), [] { ::_exit(9); }).join();
    CHECK(status.exited());
    CHECK(status.code() == 9);
    CHECK_FALSE(status.success());
    CHECK(status.description() == "exited with code 9");
  }
}

TEST_CASE("a signal is told by name and number") {
  for (const auto method : methods) {
    for (const int signal : {SIGTERM, SIGKILL, SIGINT, SIGUSR1, SIGSEGV}) {
      if (signal == SIGSEGV && troupe::test::sanitized)
        continue;
      auto child = troupe::start<sleep_for_ever>(by(method));
      CHECK(child.send_signal(signal));
      const auto status = child.join();
      CHECK(status.signaled());
      CHECK(status.signal() == signal);
      CHECK(status.code() == -signal);
    }
  }
  auto child = troupe::start<sleep_for_ever>();
  CHECK(child.terminate());
  CHECK(child.join().signal_name() == "SIGTERM");
  CHECK_FALSE(child.terminate());
  auto killed = troupe::start<sleep_for_ever>();
  CHECK(killed.kill());
  CHECK(killed.join().description() == "killed by SIGKILL (9)");
  auto interrupted = troupe::start<sleep_for_ever>();
  CHECK(interrupted.interrupt());
  CHECK(interrupted.join().signal_name() == "SIGINT");
}

TEST_CASE("a process may answer a signal itself") {
  const troupe::value<int> listens{0};
  auto child = troupe::start(
    [](troupe::value<int> ready) {
      std::signal(SIGINT, [](int) { ::_exit(1); });
      ready = 1;
      sleep_for_ever();
    },
    listens);
  REQUIRE(troupe::test::eventually([&] { return listens == 1; }));
  CHECK(child.interrupt());
  const auto status = child.join();
  CHECK(status.exited());
  CHECK(status.code() == 1);
}

TEST_CASE("close frees the handle of an ended process only") {
  auto child = troupe::start<sleep_for_ever>();
  CHECK_THROWS_AS(child.close(), troupe::invalid_state);
  child.kill();
  child.join();
  const auto view = child.view();
  CHECK(view.status().has_value());
  child.close();
  CHECK_FALSE(child.joinable());
  CHECK_THROWS_AS(child.join(), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(child.pid()), troupe::invalid_state);
  CHECK_THROWS_AS(child.close(), troupe::invalid_state);
  CHECK_THROWS_AS(child.detach(), troupe::invalid_state);
  CHECK_THROWS_AS(static_cast<void>(child.sentinel()), troupe::invalid_state);
  CHECK_FALSE(view.is_alive());
  CHECK(view.join().code() == -255);
  CHECK(view.pid() == 0);
  CHECK_FALSE(view.kill());
}

TEST_CASE("a handle without a process says so") {
  troupe::process none;
  CHECK_FALSE(none.joinable());
  CHECK_THROWS_AS(none.join(), troupe::invalid_state);
  auto child = troupe::start<nothing>();
  troupe::process other = std::move(child);
  CHECK_FALSE(child.joinable()); // NOLINT(bugprone-use-after-move)
  CHECK(other.join().success());
  other = troupe::start<nothing>();
  CHECK(other.join().success());
}

TEST_CASE("the destructor joins") {
  troupe::process_view view;
  {
    auto child = troupe::start(
      [](std::int32_t waiter) {
        // Before that it ends only if nobody joins it.
        static_cast<void>(await_blocked(waiter, wait_kind::process));
      },
      troupe::os::this_thread_id());
    view = child.view();
  }
  CHECK_FALSE(view.is_alive());
}

TEST_CASE("the destructor of a daemon's handle ends the daemon") {
  troupe::process_view view;
  std::int32_t pid = 0;
  {
    auto child
      = troupe::start<sleep_for_ever>(daemon_by(start_method::fork_server));
    CHECK(child.is_daemon());
    view = child.view();
    pid = child.pid();
  }
  CHECK_FALSE(view.is_alive());
  CHECK(troupe::test::eventually([&] { return ::kill(pid, 0) != 0; }));
}

TEST_CASE(
  "processes that start one after the other use few slots, whoever frees "
  "them") {
  const auto& high = troupe::memory::run_memory::current().header().slots_high;
  const auto before = high.load();
  const troupe::queue<int> numbers;
  for (int i = 0; i < 100; ++i) {
    // Its slot is given back by whoever confirms its death.
    troupe::start([](troupe::queue<int> to) { to.put(1); }, numbers).detach();
    CHECK(numbers.get() == 1);
  }
  CHECK(high.load() <= before + 32);
}

TEST_CASE("a detached process goes on, and leaves nothing when it ends") {
  auto child = troupe::start<sleep_for_ever>();
  const auto view = child.view();
  const auto pid = child.pid();
  child.detach();
  CHECK_FALSE(child.joinable());
  CHECK(view.is_alive());
  CHECK(::kill(pid, SIGKILL) == 0);
  CHECK(troupe::test::eventually([&] { return !view.is_alive(); }));
  CHECK(troupe::test::eventually([&] {
    return troupe::memory::run_memory::current().find(view.id()) == nullptr;
  }));
  auto ended = troupe::start<nothing>();
  ended.join();
  ended.detach();
  CHECK_FALSE(ended.joinable());
}

TEST_CASE("the sentinel becomes readable when the process ends") {
  for (const auto method : methods) {
    auto child = troupe::start<sleep_for_ever>(by(method));
    pollfd waiting{child.sentinel(), POLLIN, 0};
    CHECK(waiting.fd == child.sentinel());
    CHECK(::poll(&waiting, 1, 0) == 0);
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, waiting.fd, &event) == 0);
    child.kill();
    CHECK(::poll(&waiting, 1, 20000) == 1);
    CHECK(::epoll_wait(epoll, &event, 1, 20000) == 1);
    ::close(epoll);
    child.join();
    auto late = child.view().open_sentinel();
    pollfd ended{late.get(), POLLIN, 0};
    CHECK(::poll(&ended, 1, 0) == 1);
  }
}

TEST_CASE("default names show the place in the tree") {
  const auto first = troupe::start([] {
    auto inner = troupe::start([] {
      std::exit(troupe::current_process().name().ends_with(":1:2") ? 0 : 2);
    });
    auto inner2 = troupe::start([] {
      const auto name = troupe::current_process().name();
      const auto parent = troupe::parent_process()->name();
      auto leaf = troupe::start([] {});
      std::exit(name == parent + ":2" && leaf.name() == name + ":1" ? 0 : 1);
    });
    const auto own = troupe::current_process().name();
    const bool right = inner.name() == own + ":1" && inner2.name() == own + ":2"
                       && inner2.join().code() == 0;
    inner.join();
    ::_exit(right ? 0 : 3);
  });
  CHECK(first.name().starts_with("process-"));
  CHECK(first.join().code() == 0);
  const auto second = troupe::start<nothing>();
  CHECK(first.name() != second.name());
  CHECK(troupe::current_process().name() == "root");
}

TEST_CASE("a name may be chosen, up to 255 bytes") {
  auto child = troupe::start(named("Käthe's worker"), [] {
    std::exit(troupe::current_process().name() == "Käthe's worker" ? 0 : 1);
  });
  CHECK(child.name() == "Käthe's worker");
  CHECK(child.join().code() == 0);
  const std::string longest(255, 'n');
  const auto full = troupe::start<nothing>(named(longest));
  CHECK(full.name() == longest);
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::start<nothing>(named(longest + "n"))),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::start<nothing>(named(std::string("a\0b", 3)))),
                  troupe::invalid_argument);
}

TEST_CASE("a process knows itself, its parent and its children") {
  const auto self = troupe::current_process();
  CHECK(self.pid() == ::getpid());
  CHECK(self.is_alive());
  CHECK_FALSE(self.is_daemon());
  CHECK_FALSE(self.status().has_value());
  CHECK_FALSE(troupe::parent_process().has_value());
  for (const auto method : methods) {
    const auto child = troupe::start(
      by(method),
      [](std::int32_t parent_pid, const troupe::process_view& parent) {
        const auto seen = troupe::parent_process();
        const bool right = seen && seen->pid() == parent_pid && *seen == parent
                           && seen->name() == "root" && seen->is_alive()
                           && troupe::current_process().pid() == ::getpid()
                           && troupe::active_children().empty();
        std::exit(right ? 0 : 1);
      },
      self.pid(), self);
    CHECK(child.join().code() == 0);
  }
}

TEST_CASE("active children are those that live") {
  CHECK(troupe::active_children().empty());
  auto one = troupe::start<sleep_for_ever>();
  auto two = troupe::start<sleep_for_ever>();
  auto children = troupe::active_children();
  CHECK(children.size() == 2);
  CHECK(std::count(children.begin(), children.end(), one.view()) == 1);
  one.kill();
  one.join();
  children = troupe::active_children();
  REQUIRE(children.size() == 1);
  CHECK(children.front() == two.view());
  two.kill();
  two.join();
  CHECK(troupe::active_children().empty());
}

namespace {

int depth_reached(int left) {
  if (left == 0)
    return 1;
  int sum = 1;
  for (int child = 0; child < 2; ++child)
    sum += troupe::async<depth_reached>(left - 1).get();
  return sum;
}

} // namespace

TEST_CASE("processes start processes to any depth") {
  CHECK(troupe::async<depth_reached>(3).get() == 15);
}

TEST_CASE("a joined process may not be the calling one") {
  CHECK_THROWS_AS(troupe::current_process().join(), troupe::would_deadlock);
  CHECK_FALSE(troupe::current_process().join_for(1ms).has_value());
  const auto child = troupe::start([] {
    try {
      troupe::current_process().join();
    } catch (const troupe::would_deadlock&) {
      std::exit(4);
    }
  });
  CHECK(child.join().code() == 4);
}

TEST_CASE("a child may wait for its parent's end") {
  // The middle one is killed; its child has seen it alive, and sees that.
  const troupe::value<int> before{-1};
  const troupe::value<int> after{-1};
  auto middle = troupe::start(
    [](troupe::value<int> alive, troupe::value<int> signal) {
      auto leaf = troupe::start(
        named("watches its parent"),
        [](troupe::value<int> first, troupe::value<int> then) {
          first = troupe::parent_process()->is_alive() ? 1 : 0;
          const auto status = troupe::parent_process()->join_for(20s);
          then = status ? status->signal() : 0;
        },
        alive, signal);
      static_cast<void>(leaf.pid());
      sleep_for_ever();
    },
    before, after);
  REQUIRE(troupe::test::eventually([&] { return before >= 0; }));
  CHECK(before == 1);
  CHECK(after == -1);
  middle.kill();
  CHECK(middle.join().signal() == SIGKILL);
  CHECK(troupe::test::eventually([&] { return after == SIGKILL; }));
}

TEST_CASE("a daemon ends with its parent, and its children are daemons") {
  auto middle = troupe::async([] {
    auto daemon
      = troupe::start<sleep_for_ever>(daemon_by(start_method::fork_server));
    const auto pid = daemon.pid();
    daemon.detach();
    return pid;
  });
  const auto pid = middle.get();
  CHECK(troupe::test::eventually([&] { return ::kill(pid, 0) != 0; }));
  CHECK_FALSE(troupe::start<nothing>().is_daemon());
  const auto child = troupe::start(daemon_by(start_method::fork_server), [] {
    const auto inner = troupe::start(
      [] { std::exit(troupe::current_process().is_daemon() ? 5 : 6); });
    std::exit(inner.join().code());
  });
  CHECK(child.join().code() == 5);
}

TEST_CASE("daemons of a killed parent are killed, others are not disturbed") {
  auto middle = troupe::start([] {
    auto daemon
      = troupe::start<sleep_for_ever>(daemon_by(start_method::fork_server));
    auto other = troupe::start(named("goes on"), [] {
      await([] { return !troupe::parent_process()->is_alive(); });
    });
    static_cast<void>(daemon.pid());
    static_cast<void>(other.pid());
    ::kill(::getpid(), SIGKILL);
  });
  CHECK(middle.join().signal() == SIGKILL);
  const auto me = middle.view();
  CHECK(troupe::test::eventually([&] {
    bool some = false;
    auto& memory = troupe::memory::run_memory::current();
    for (std::uint32_t index = 1; index < memory.header().slots_high; ++index)
      some = some || memory.slot(index).parent.load() == me.id().packed();
    return !some;
  }));
}

TEST_CASE("hardware concurrency respects affinity") {
  CHECK(troupe::hardware_concurrency() >= 1);
  const auto child = troupe::start([] {
    cpu_set_t all;
    CPU_ZERO(&all);
    ::sched_getaffinity(0, sizeof all, &all);
    int first = 0;
    while (!CPU_ISSET(first, &all))
      ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    std::exit(static_cast<int>(troupe::hardware_concurrency()));
  });
  CHECK(child.join().code() == 1);
}

TEST_CASE("a view may be sent to any process, which may act on it") {
  auto victim = troupe::start<sleep_for_ever>();
  const auto hunter = troupe::start(
    [](const troupe::process_view& prey) {
      prey.kill();
      std::exit(prey.join().signal());
    },
    victim.view());
  CHECK(hunter.join().code() == SIGKILL);
  CHECK(victim.join().signal() == SIGKILL);
}

TEST_CASE("many threads may start and join at once") {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&right, thread] {
      for (int turn = 0; turn < 10; ++turn)
        right += troupe::start<code_after>(thread * 10 + turn).join().code()
                 == thread * 10 + turn;
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(right == 40);
}

TEST_CASE("the number of descriptors does not grow with siblings") {
  const auto count = [] {
    int result = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator{"/proc/self/fd"})
      ++result;
    std::exit(result);
  };
  for (const auto method : methods) {
    const auto alone = troupe::start(by(method), count).join().code();
    std::vector<troupe::process> siblings;
    for (int i = 0; i < 10; ++i) {
      siblings.push_back(troupe::start<sleep_for_ever>());
      static_cast<void>(siblings.back().sentinel());
    }
    CHECK(troupe::start(by(method), count).join().code() == alone);
    for (auto& sibling : siblings)
      sibling.kill();
  }
}

TEST_CASE("a descriptor of the parent is not open in a child") {
  const int mine = ::open("/proc/self/exe", O_RDONLY);
  for (const auto method : methods)
    CHECK(troupe::start(
            by(method),
            [](int fd) { std::exit(::fcntl(fd, F_GETFD) < 0 ? 0 : 1); }, mine)
            .join()
            .code()
          == 0);
  ::close(mine);
}

TEST_CASE(
  "a child has the signal mask and dispositions of the program's start") {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  for (const auto method : methods) {
    const auto child = troupe::start(by(method), [] {
      sigset_t now;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
      for (int signal = 1; signal < 32; ++signal)
        if (sigismember(&now, signal) != 0)
          std::exit(signal);
      for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGPIPE}) {
        struct sigaction current{};
        ::sigaction(signal, nullptr, &current);
        if (current.sa_handler != SIG_DFL)
          std::exit(100 + signal);
      }
    });
    CHECK(child.join().code() == 0);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
}

TEST_CASE("exit handlers run in a child") {
  for (const auto method : methods) {
    const auto child = troupe::start(by(method),
                                     [] { std::atexit([] { ::_exit(42); }); });
    CHECK(child.join().code() == 42);
  }
}

TEST_CASE("an uncaught exception is told with its type and text") {
  for (const auto method : methods) {
    const auto status = troupe::start(by(method), [] {
                          throw std::out_of_range{"there is no seventh"};
                        }).join();
    CHECK(status.threw());
    CHECK(status.code() == 1);
    CHECK(status.exception_type() == "std::out_of_range");
    CHECK(status.exception_text() == "there is no seventh");
    CHECK(status.last_lines().find("there is no seventh") != std::string::npos);
    CHECK(status.description()
          == "ended by exception std::out_of_range: there is no seventh");
  }
  const auto odd = troupe::start([] { throw 42; }).join();
  CHECK(odd.threw());
  CHECK(odd.exception_type() == "int");
  const auto long_text
    = troupe::start([] { throw std::runtime_error{std::string(5000, 'x')}; });
  CHECK(long_text.join().exception_text() == std::string(759, 'x'));
}

TEST_CASE("of a line that is longer than the window its end is kept") {
  static constexpr std::size_t window = 4096;
  const auto lines_of = [](const char* what) {
    const auto status = troupe::start(
                          [](std::string which) {
                            // None of that is for who reads the test's output.
                            ::dup2(::open("/dev/null", O_WRONLY), 2);
                            const std::string line(1 << 20, 'x');
                            if (which == "unended")
                              std::cerr << line << "the end";
                            if (which == "ended")
                              std::cerr << "before\n" << line << "the end\n";
                            if (which == "with more behind it")
                              std::cerr << line << "the end\nmore\n";
                            if (which == "of many short lines")
                              for (int i = 0; i < 10'000; ++i)
                                std::cerr << "line " << i << '\n';
                            if (which == "binary")
                              std::cerr << std::string(1 << 20, '\x80');
                            if (which == "characters")
                              for (int i = 0; i < 10'000; ++i)
                                std::cerr << "\xE2\x82\xAC";
                          },
                          what)
                          .join();
    CHECK(status.success());
    CHECK(status.last_lines().size() <= window);
    return status.last_lines();
  };
  for (const char* which : {"unended", "ended", "with more behind it"}) {
    const auto lines = lines_of(which);
    CHECK(lines.starts_with("...xxx"));
    CHECK(lines.find("xthe end") != std::string::npos);
    CHECK(lines.size() > window / 2);
  }
  CHECK(lines_of("with more behind it").ends_with("the end\nmore\n"));
  // Of lines that fit none is cut.
  CHECK(lines_of("of many short lines").starts_with("line 9"));
  CHECK(lines_of("of many short lines").ends_with("line 9999\n"));
  CHECK(lines_of("binary").ends_with(std::string(1000, '\x80')));
  const auto characters = lines_of("characters");
  REQUIRE(characters.size() > 3);
  CHECK(characters.starts_with("...\xE2\x82\xAC"));
  CHECK((characters.size() - 3) % 3 == 0);
}

TEST_CASE("abort is told as its signal, with what was said before") {
  const auto status = troupe::start([] {
                        std::fprintf(stderr, "the last word\nand half a line");
                        std::abort();
                      }).join();
  CHECK(status.signal() == SIGABRT);
  CHECK(status.last_lines() == "the last word\nand half a line");
}

TEST_CASE("a child that the user forked off does no harm") {
  auto sibling = troupe::start<sleep_for_ever>();
  const auto forked = ::fork();
  if (forked == 0) {
    bool refused = false;
    try {
      static_cast<void>(troupe::start<nothing>());
    } catch (const troupe::invalid_state&) {
      refused = true;
    }
    // Its copy of the handle goes without touching the process.
    {
      const troupe::process copy = std::move(sibling);
    }
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(forked, &status, 0) == forked);
  CHECK(status == 0);
  CHECK(sibling.is_alive());
  sibling.kill();
  CHECK(sibling.join().signal() == SIGKILL);
  const auto child = troupe::start([] {
    const auto inner = ::fork();
    if (inner == 0)
      std::exit(3);
    int ended = 0;
    ::waitpid(inner, &ended, 0);
    std::exit(WEXITSTATUS(ended));
  });
  CHECK(child.join().code() == 3);
}
