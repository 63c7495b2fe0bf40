// SPDX-License-Identifier: BSL-1.0

// Programs that tests run from outside: `process_role ROLE [ARGUMENT...]` is
// the root of a run of its own. A role prints "ready" once it can be disturbed.

#include <troupe/base/error.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/blocked.hpp>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::await;
using troupe::test::await_blocked;
using troupe::test::eventually;
using troupe::test::sleep_for_ever;
using troupe::test::wait_kind;

void ready() {
  std::printf("ready\n");
  std::fflush(stdout);
}

troupe::start_options as_daemon() {
  troupe::start_options options;
  options.daemon = true;
  return options;
}

/// A root with children, grandchildren and daemons, all of them asleep.
int tree() {
  std::vector<troupe::process> children;
  for (int i = 0; i < 3; ++i)
    children.push_back(troupe::start([] {
      auto inner = troupe::start<sleep_for_ever>();
      auto daemon = troupe::start<sleep_for_ever>(as_daemon());
      static_cast<void>(inner.pid());
      static_cast<void>(daemon.pid());
      sleep_for_ever();
    }));
  auto& memory = troupe::memory::run_memory::current();
  await([&] {
    std::uint32_t living = 0;
    for (std::uint32_t index = 1; index < memory.header().slots_high; ++index)
      living += memory.slot(index).current_state()
                == troupe::memory::slot_state::running;
    return living >= 9;
  });
  ready();
  for (auto& child : children)
    child.join();
  return 0;
}

/// Prints how each child has ended.
int joins() {
  std::vector<troupe::process> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(troupe::start<sleep_for_ever>());
    static_cast<void>(children.back().pid());
  }
  ready();
  for (auto& child : children)
    std::cout << "child: " << child.join().description() << std::endl;
  return 0;
}

/// Works until it is asked to stop.
int polite() {
  const auto token = troupe::interrupt_token();
  const troupe::queue<int> listening;
  const auto child = troupe::start(
    [](troupe::queue<int> to) {
      const auto asked = troupe::interrupt_token();
      to.put(1);
      await([&] { return asked.stop_requested(); });
      std::cout << "the child tidies up" << std::endl;
      std::exit(5);
    },
    listening);
  static_cast<void>(listening.get());
  ready();
  std::cout << "child: " << child.join().description() << std::endl;
  await([&] { return token.stop_requested(); });
  std::cout << "interrupted: " << troupe::interrupted() << std::endl;
  return 3;
}

/// Children that do not listen to Ctrl-C.
int deaf() {
  const troupe::queue<int> deafened;
  const auto child = troupe::start(
    [](troupe::queue<int> to) {
      std::signal(SIGINT, SIG_IGN);
      std::ofstream{"/proc/self/comm"} << "deaf";
      to.put(1);
      sleep_for_ever();
    },
    deafened);
  static_cast<void>(deafened.get());
  ready();
  child.join();
  return 0;
}

/// Ends with a daemon and another child still alive.
int leaves() {
  auto daemon = troupe::start<sleep_for_ever>(as_daemon());
  auto other = troupe::start([] {
    if (await_blocked(troupe::parent_process()->pid(), wait_kind::children))
      std::cout << "the other has ended" << std::endl;
  });
  std::cout << "daemon " << daemon.pid() << std::endl;
  daemon.detach();
  other.detach();
  std::cout << "main returns" << std::endl;
  return 4;
}

int exits() {
  troupe::start([] { std::cout << "child" << std::endl; }).detach();
  std::exit(6);
}

/// Output with half lines, threads and processes.
int lines() {
  std::printf("root before\n");
  std::printf("unflushed half");
  std::vector<troupe::process> children;
  for (int child = 0; child < 8; ++child)
    children.push_back(troupe::start(
      [](int number) {
        for (int line = 0; line < 200; ++line) {
          std::cout << "<out " << number << ' ';
          std::cout << line << " " << std::string(50, 'o') << ">\n";
          std::fprintf(stdout, "<out %d ", number);
          std::fprintf(stdout, "x>\n");
          std::cerr << "<err " << number << ' ';
          std::cerr << line << " " << std::string(50, 'e') << ">\n";
          std::fprintf(stderr, "<err %d ", number);
          std::fprintf(stderr, "x>\n");
          std::clog << "<log " << number;
          std::clog << ">\n";
        }
      },
      child));
  children.clear();
  std::printf(" and its end\n");
  return 0;
}

struct says_goodbye {
  ~says_goodbye() {
    if (std::getenv("GOODBYE") != nullptr) {
      std::fprintf(stderr, "goodbye from a static object");
      std::cout << "and on cout\n";
    }
  }
};
says_goodbye late;

/// Half lines at every kind of end.
int half_lines() {
  troupe::start([] {
    std::cout << "returned";
    std::cerr << "err returned";
  }).join();
  troupe::start([] {
    std::cout << "exited";
    std::cerr << "err exited";
    std::exit(1);
  }).join();
  troupe::start([] {
    std::cout << "threw";
    std::cerr << "err threw";
    throw std::runtime_error{"the reason"};
  }).join();
  troupe::start([] { ::setenv("GOODBYE", "1", 1); }).join();
  return 0;
}

/// The streams may be closed; the answer goes to the file named.
int closed_streams(const std::string& answer) {
  std::cout << "out" << std::endl;
  std::cerr << "err" << std::endl;
  int sum = 0;
  for (const auto method :
       {troupe::start_method::fork_server, troupe::start_method::spawn}) {
    troupe::start_options options;
    options.method = method;
    sum += troupe::async(
             options,
             [](int a) {
               std::cout << "child out" << std::endl;
               std::cerr << "child err" << std::endl;
               int byte = 0;
               const bool empty = std::cin.get() == EOF
                                  && ::read(0, &byte, 1) == 0;
               return empty ? a : -1;
             },
             20)
             .get();
  }
  std::ofstream{answer} << sum;
  return 0;
}

/// Children of a program that is about to reach a limit.
int limits() {
  std::vector<troupe::process> children;
  try {
    for (;;)
      children.push_back(troupe::start<sleep_for_ever>());
  } catch (const troupe::limit_reached& failure) {
    std::cout << "limit: " << failure.what() << std::endl;
  }
  std::cout << "children: " << children.size() << std::endl;
  children.back().kill();
  children.back().join();
  children.pop_back();
  std::cout << "again: " << troupe::async([] { return 11; }).get() << std::endl;
  for (auto& child : children)
    child.kill();
  return 0;
}

/// Starts that cannot succeed because the user may have no more processes.
int refused_by_kernel() {
  const auto status = troupe::start([] {}).join();
  std::cout << "status: " << status.description() << std::endl;
  return 0;
}

int forks_in_root() {
  const auto child = troupe::start<sleep_for_ever>();
  static_cast<void>(child.pid());
  if (::fork() == 0)
    sleep_for_ever();
  ready();
  sleep_for_ever();
  return 0;
}

/// Kills the fork server while processes run and are asked for.
int kills_server() {
  auto& server = troupe::memory::run_memory::current().header().fork_server;
  const troupe::queue<int> go;
  auto before = troupe::start(
    [](troupe::queue<int> when) {
      static_cast<void>(when.get());
      std::exit(21);
    },
    go);
  static_cast<void>(before.pid());
  for (int round = 0; round < 20; ++round) {
    const auto old = server.load();
    std::vector<troupe::future<int>> results;
    for (int i = 0; i < 4; ++i)
      results.push_back(troupe::async([](int n) { return n; }, round * 4 + i));
    if (old != 0)
      ::kill(old, SIGKILL);
    for (int i = 0; i < 4; ++i)
      if (results[static_cast<std::size_t>(i)].get() != round * 4 + i)
        return 1;
  }
  go.put(1);
  std::cout << "before: " << before.join().description() << std::endl;
  return 0;
}

/// How two children end that nobody else may reap.
int codes() {
  std::cout << "first: "
            << troupe::start([] { std::exit(5); }).join().description()
            << std::endl;
  const auto second = troupe::start<sleep_for_ever>();
  second.kill();
  std::cout << "second: " << second.join().description() << std::endl;
  return 0;
}

/// A child whose server has died, and which the system reaps.
int reaped_by_the_system() {
  std::signal(SIGCHLD, SIG_IGN);
  auto& server = troupe::memory::run_memory::current().header().fork_server;
  const auto child = troupe::start<sleep_for_ever>();
  static_cast<void>(child.pid());
  const auto old = server.load();
  ::kill(old, SIGKILL);
  await([&] { return server.load() != old; });
  child.kill();
  std::cout << "child: " << child.join().description() << std::endl;
  return 0;
}

/// One that a sanitizer may have at the very end; and whether a thread is still
/// to say that it was refused.
std::atomic<int> spare_descriptor{-1};
std::atomic<bool> to_be_refused{false};

/// Called after all that Troupe does at the end.
void after_the_end() {
  static_cast<void>(eventually([] { return !to_be_refused; }));
  if (spare_descriptor >= 0)
    ::close(spare_descriptor);
}

void take_all_descriptors() {
  for (int taken = ::dup(1); taken >= 0; taken = ::dup(1))
    spare_descriptor = taken;
}

/// Kills a child when there is no descriptor left.
int no_descriptors() {
  const auto child = troupe::start<sleep_for_ever>();
  static_cast<void>(child.pid());
  take_all_descriptors();
  std::cout << "killed: " << child.kill() << std::endl;
  std::cout << "child: " << child.join().description() << std::endl;
  return 0;
}

/// The same, and the end of main has to kill.
int no_descriptors_at_end() {
  auto child = troupe::start(as_daemon(), [] {
    std::signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
  });
  static_cast<void>(child.pid());
  child.detach();
  take_all_descriptors();
  return 8;
}

std::string start_after_closing_all(bool open_others) {
  ::closefrom(3);
  while (open_others && ::open("/dev/null", O_WRONLY) < 40) {
  }
  try {
    troupe::start([] {}).join();
  } catch (const troupe::os_failure& failure) {
    return failure.what();
  }
  return "it started";
}

/// Starts from a process that has closed Troupe's descriptors.
int closed_all() {
  for (const bool others : {false, true})
    std::cout << troupe::async<start_after_closing_all>(others).get()
              << std::endl;
  return 0;
}

/// Children that do not hang on the root by a descriptor any more.
int loose() {
  const auto executed
    = troupe::start([] { ::execl("/bin/sleep", "sleep", "1000", nullptr); });
  const auto closed = troupe::start([] {
    ::closefrom(3);
    std::ofstream{"/proc/self/comm"} << "closed";
    sleep_for_ever();
  });
  for (const auto& [child, name] :
       {std::pair{&executed, "sleep"}, std::pair{&closed, "closed"}}) {
    const auto comm = "/proc/" + std::to_string(child->pid()) + "/comm";
    await([&, wanted = std::string_view{name}] {
      std::ifstream file{comm};
      std::string now;
      return std::getline(file, now) && now == wanted;
    });
    std::cout << child->pid() << ' ';
  }
  ready();
  sleep_for_ever();
  return 0;
}

/// A thread starts processes for as long as the program lets it.
int starts_until_the_end() {
  to_be_refused = true;
  std::atomic<int> started{0};
  std::thread{[&] {
    try {
      for (;;) {
        auto child = troupe::start<sleep_for_ever>(as_daemon());
        static_cast<void>(child.pid());
        child.detach();
        ++started;
      }
    } catch (const troupe::invalid_state& failure) {
      std::cout << failure.what() << std::endl;
      to_be_refused = false;
    }
    sleep_for_ever();
  }}.detach();
  await([&] { return started >= 3; });
  std::exit(9);
}

/// A root, or a child of it, that waits for a command.
int run_command(const std::string& who, const std::string& script) {
  const auto run = [](std::string of) {
    static_cast<void>(troupe::run_command({"sh", "-c", of}));
  };
  if (who == "root")
    run(script);
  else
    troupe::start(run, script).join();
  return 0;
}

void fail_with(std::string why) {
  throw std::runtime_error{why};
}

/// The exception is told by the future, and by nobody else.
int told_by_future() {
  auto result = troupe::async<fail_with>("the reason");
  try {
    result.get();
  } catch (const troupe::remote_error& failure) {
    std::cout << "told: " << failure.text() << std::endl;
  }
  return 0;
}

/// Futures that nobody asks for what they have.
int unread_futures() {
  {
    const auto dropped = troupe::async<fail_with>("dropped");
    auto waited_for = troupe::async<fail_with>("waited for");
    waited_for.wait();
    auto assigned_to = troupe::async<fail_with>("assigned to");
    assigned_to = {};
    auto detached = troupe::async<fail_with>("detached");
    detached.runner().detach();
  }
  static_cast<void>(troupe::start<fail_with>("of a plain process").join());
  return 0;
}

/// A process that another has asked for a result, and that is dead when it has
/// one.
int orphaned_future() {
  const troupe::queue<std::int32_t> who;
  const troupe::queue<int> go;
  auto parent = troupe::start(
    [](troupe::queue<std::int32_t> to, troupe::queue<int> when) {
      troupe::start_options options;
      options.daemon = false;
      auto result = troupe::async(
        options,
        [](troupe::queue<int> wait_for) {
          static_cast<void>(wait_for.get());
          fail_with("nobody is left");
        },
        when);
      to.put(result.runner().pid());
      sleep_for_ever();
    },
    who, go);
  static_cast<void>(who.get());
  parent.kill();
  parent.join();
  go.put(1);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "late_program"
      && std::getenv("TROUPE_SUMMONS") != nullptr)
    return 1;
  if (argc > 1 && std::string_view{argv[1]} == "no_program") {
    try {
      static_cast<void>(troupe::start([] {}));
    } catch (const troupe::invalid_state& failure) {
      std::cout << failure.what() << std::endl;
    }
    return 0;
  }
  std::atexit(after_the_end);
  troupe::run_options options;
  options.grace = 2s;
  if (argc > 1 && std::string_view{argv[1]} == "limits")
    options.size.processes = 64;
  troupe::program program{argc, argv, options};
  std::cout << "main goes on" << std::endl;
  const std::string role = argc > 1 ? argv[1] : "";
  const std::string argument = argc > 2 ? argv[2] : "";
  const std::map<std::string, std::function<int()>> roles{
    {"tree", tree},
    {"joins", joins},
    {"polite", polite},
    {"deaf", deaf},
    {"leaves", leaves},
    {"exits", exits},
    {"lines", lines},
    {"half_lines", half_lines},
    {"closed_streams", [&] { return closed_streams(argument); }},
    {"limits", limits},
    {"late_program", refused_by_kernel},
    {"forks_in_root", forks_in_root},
    {"kills_server", kills_server},
    {"codes", codes},
    {"reaped_by_the_system", reaped_by_the_system},
    {"no_descriptors", no_descriptors},
    {"told_by_future", told_by_future},
    {"unread_futures", unread_futures},
    {"orphaned_future", orphaned_future},
    {"no_descriptors_at_end", no_descriptors_at_end},
    {"closed_all", closed_all},
    {"loose", loose},
    {"starts_until_the_end", starts_until_the_end},
    {"run_command", [&] { return run_command(argument, argv[3]); }},
  };
  const auto found = roles.find(role);
  return found != roles.end() ? found->second() : 99;
}
