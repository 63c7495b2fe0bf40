// SPDX-License-Identifier: BSL-1.0

// Processes are killed in every way and at every moment: does whoever waits
// learn how, and is nothing left?

#include <troupe/process/program.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/process_id.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/launched.hpp>
#include <support/living_bytes.hpp>
#include <support/sanitized.hpp>
#include <support/seed.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using troupe::start_method;
using troupe::start_options;
using troupe::test::await_blocked;
using troupe::test::eventually;
using troupe::test::launched;
using troupe::test::members_of;
using troupe::test::run_of;
using troupe::test::seed;
using troupe::test::sleep_at_random;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

namespace {

const std::string role = troupe::test::beside_this_program("crash_role");

/// Comes to an end too late for any stack.
int eat_stack(long left, const volatile char* above) {
  volatile char mine[4096];
  mine[0] = above != nullptr ? above[0] : '\0';
  return left == 0 ? mine[0] : eat_stack(left - 1, mine) + mine[0];
}

/// The ways in which a process may end itself, by number: lambdas without
/// captures are what a process can be started with.
void end_by(int way) {
  switch (way) {
    case 0: ::raise(SIGKILL); break;
    case 1: ::raise(SIGSEGV); break;
    case 2: std::abort();
    case 3: ::_exit(33);
    case 4: throw std::runtime_error{"uncaught"};
    case 5: std::exit(eat_stack(1L << 40, nullptr));
    case 6: {
      // What the kernel refuses, not what it kills for.
      const rlimit little{512U << 20, 512U << 20};
      ::setrlimit(RLIMIT_DATA, &little);
      std::vector<std::vector<char>> hoard;
      for (;;)
        hoard.emplace_back(16U << 20, 'x');
    }
    case 7:
      std::thread{[] { throw std::runtime_error{"in a thread"}; }}.join();
      break;
    case 8: std::terminate();
    default: break;
  }
}

struct outcome {
  const char* name;
  int signal;
  int code;
  const char* exception;
};

constexpr std::array<outcome, 9> outcomes{{
  {"SIGKILL", SIGKILL, -SIGKILL, ""},
  {"SIGSEGV", SIGSEGV, -SIGSEGV, ""},
  {"abort", SIGABRT, -SIGABRT, ""},
  {"_exit", 0, 33, ""},
  {"exception", 0, 1, "std::runtime_error"},
  {"stack overflow", SIGSEGV, -SIGSEGV, ""},
  {"out of memory", 0, 1, "std::bad_alloc"},
  {"exception in a thread", SIGABRT, -SIGABRT, ""},
  {"terminate", SIGABRT, -SIGABRT, ""},
}};

/// Leaves out what a sanitizer answers in its own way.
bool can_be_told(std::size_t way) {
  return !troupe::test::sanitized || (way != 1 && way != 5 && way != 6);
}

bool is_right(const troupe::exit_status& status, const outcome& wanted) {
  return status.signal() == wanted.signal && status.code() == wanted.code
         && status.exception_type() == wanted.exception;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (auto at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1))
    ++result;
  return result;
}

/// Runs a role with a crash point armed from its first instruction on. Says
/// whether the run is wholly gone afterwards.
std::string run_with_point(const std::vector<std::string>& words,
                           const std::string& point) {
  troupe::test::launch_options options;
  if (!point.empty())
    options.environment.push_back("TROUPE_CRASH_POINT=" + point);
  auto command = words;
  command.insert(command.begin(), role);
  launched program{command, options};
  CHECK(program.wait_for("main goes on"));
  const auto run = run_of(program.pid());
  const int status = program.wait();
  CHECK(status == 0);
  CHECK(eventually([run] { return run == 0 || members_of(run).empty(); }));
  if (status != 0)
    std::cerr << program.output();
  return program.output();
}

} // namespace

TEST_CASE("every end at the start of a process is told") {
  for (const auto method : {start_method::fork_server, start_method::spawn})
    for (std::size_t way = 0; way < outcomes.size(); ++way) {
      if (!can_be_told(way))
        continue;
      CAPTURE(outcomes[way].name);
      start_options options;
      options.method = method;
      const auto child = troupe::start<end_by>(options, static_cast<int>(way));
      const auto status = child.join();
      CAPTURE(status.description());
      CHECK(is_right(status, outcomes[way]));
    }
}

TEST_CASE("every end while a process runs is told within milliseconds") {
  for (std::size_t way = 0; way < outcomes.size(); ++way) {
    if (!can_be_told(way))
      continue;
    // The child notes when it is about to end, and is waited for by then.
    const auto child = troupe::start(
      [](int chosen, std::int32_t waiter) {
        if (!await_blocked(waiter, wait_kind::process))
          return;
        std::fprintf(stderr, "%lld\n",
                     static_cast<long long>(
                       clock_type::now().time_since_epoch().count()));
        end_by(chosen);
      },
      static_cast<int>(way), troupe::os::this_thread_id());
    const auto status = child.join();
    const auto now = clock_type::now().time_since_epoch().count();
    CAPTURE(outcomes[way].name);
    CHECK(is_right(status, outcomes[way]));
    const auto ended = std::strtoll(status.last_lines().c_str(), nullptr, 10);
    std::cout << outcomes[way].name << ": from its last line to the join "
              << static_cast<double>(now - ended) / 1e6 << " ms\n";
  }
}

TEST_CASE("every end while a process exits is told") {
  for (std::size_t way = 0; way < outcomes.size(); ++way) {
    if (!can_be_told(way))
      continue;
    // An exception out of an exit handler is a call of terminate.
    const outcome thrown{"", SIGABRT, -SIGABRT, ""};
    const bool throws = way == 4 || way == 6;
    const auto child = troupe::start(
      [](int chosen) {
        static int way_to_go = 0;
        way_to_go = chosen;
        std::atexit([] { end_by(way_to_go); });
      },
      static_cast<int>(way));
    const auto status = child.join();
    CAPTURE(outcomes[way].name);
    CAPTURE(status.description());
    CHECK(is_right(status, throws ? thrown : outcomes[way]));
  }
}

TEST_CASE("what a killed process held is given back") {
  const auto before = troupe::test::living_bytes();
  for (int turn = 0; turn < 10; ++turn)
    troupe::start(
      [](const std::string&) {
        auto held = troupe::memory::reference::create(
          troupe::memory::object_kind::user, 1 << 20);
        static_cast<void>(held);
        ::raise(SIGKILL);
      },
      std::string(100'000, 'a'))
      .join();
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE("a killed middle process leaves its children their way") {
  // The grandchild that is no daemon outlives its parent and ends by itself.
  auto middle = troupe::start([] {
    auto leaf = troupe::start([] { troupe::parent_process()->join(); });
    static_cast<void>(leaf.pid());
    leaf.detach();
    sleep_for_ever();
  });
  REQUIRE(eventually([&] {
    auto& memory = troupe::memory::run_memory::current();
    bool some = false;
    for (std::uint32_t index = 1; index < memory.header().slots_high; ++index)
      some = some
             || (memory.slot(index).parent.load() == middle.view().id().packed()
                 && memory.slot(index).current_state()
                      == troupe::memory::slot_state::running);
    return some;
  }));
  middle.kill();
  CHECK(middle.join().signal() == SIGKILL);
}

TEST_CASE("the fork server may die at every moment of its work") {
  // The point is passed once per process, and each new server passes it anew:
  // every second start kills a server.
  for (const std::string point :
       {"process.server.read", "process.server.before_fork",
        "process.server.forked", "process.server.before_confirm",
        "process.server.before_telling", "process.server.before_reap",
        "process.death.begun", "process.death.released", "process.death.told",
        "process.death.freed"}) {
    CAPTURE(point);
    const auto output = run_with_point({"counts", "disarm"}, point + ":2");
    CHECK(contains(output, "right: 12"));
    CHECK(contains(output, "ran once each"));
  }
}

TEST_CASE("a host may die at every moment of its beginning and end") {
  for (const std::string point :
       {"process.host.before_claim", "process.host.claimed",
        "process.host.before_function", "process.host.returned"}) {
    CAPTURE(point);
    const auto output = run_with_point({"dies_in_child"}, point);
    CHECK(count(output, "killed by SIGKILL (9)") == 3);
  }
}

TEST_CASE("arguments whose process dies while it reads them are given back") {
  for (const std::string point :
       {"process.host.before_function", "process.host.arguments_held",
        "process.host.arguments_read"}) {
    CAPTURE(point);
    const auto output = run_with_point({"dies_with_arguments"}, point);
    CHECK(count(output, "killed by SIGKILL (9)") == 3);
    CHECK(contains(output, "bytes left: 0\n"));
  }
}

TEST_CASE("a parent may die at every moment of a start and a close") {
  for (const std::string point :
       {"process.start.reserved", "process.start.requested",
        "process.free.begun", "process.free.cleaned"}) {
    CAPTURE(point);
    const auto output = run_with_point({"dies_in_parent", point}, "");
    CHECK(contains(output, "middle: killed by SIGKILL (9)"));
    CHECK(contains(output, "slots in use: 0"));
  }
}

TEST_CASE("the root may die at every moment, and nothing is left") {
  for (const std::string point :
       {"process.start.reserved", "process.start.requested",
        "process.free.begun", "process.free.cleaned",
        "process.root_supervisor.server_died",
        "process.root_supervisor.adopted"}) {
    CAPTURE(point);
    troupe::test::launch_options options;
    launched program{{role, "root_dies", point}, options};
    REQUIRE(program.wait_for("main goes on"));
    REQUIRE(program.wait_for("ready"));
    const auto run = run_of(program.pid());
    program.signal(SIGUSR1);
    const int status = program.wait();
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
    CHECK(eventually([run] { return run != 0 && members_of(run).empty(); }));
  }
}

TEST_CASE(
  "hundreds of kills at random moments lose no status and leave nothing") {
  constexpr int kills = 500;
  launched program{
    {role, "many_kills", std::to_string(seed()), std::to_string(kills)}};
  REQUIRE(program.wait_for("main goes on"));
  const auto run = run_of(program.pid());
  const int status = program.wait();
  CAPTURE(program.output());
  CHECK(status == 0);
  CHECK(contains(program.output(), "all told"));
  CHECK(eventually([run] { return run != 0 && members_of(run).empty(); }));
}

TEST_CASE("a root that is killed at random moments leaves nothing") {
  std::mt19937 random{seed()};
  for (int turn = 0; turn < 20; ++turn) {
    launched program{{role, "many_kills", std::to_string(random()), "100000"}};
    REQUIRE(program.wait_for("main goes on"));
    const auto run = run_of(program.pid());
    sleep_at_random(random, 30ms);
    program.signal(SIGKILL);
    const auto killed = clock_type::now();
    CHECK(eventually([run] { return run != 0 && members_of(run).empty(); }));
    if (turn == 0)
      std::cout << "the run was gone after "
                << std::chrono::duration<double, std::milli>(clock_type::now()
                                                             - killed)
                     .count()
                << " ms\n";
    program.wait();
  }
}
