// SPDX-License-Identifier: BSL-1.0

// Machines: how long one takes to join and give its first result, what a start
// there costs beside one at home, how soon its death is known, what a
// connection costs on which nothing is said, and what is said to an actor
// there. Lead and machine are on one computer.

#include "machine_actors.hpp"
#include "suite.hpp"

#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using bench::clock_type;
using bench::median;

constexpr auto patience = 30s;

long square(long number) {
  return number * number;
}

int nap() {
  std::this_thread::sleep_for(1h);
  return 0;
}

double milliseconds_since(clock_type::time_point start) {
  return bench::seconds_since(start) * 1e3;
}

/// This program once more, as a machine; killed at the end.
class other_terminal {
public:
  other_terminal() : pid_(::fork()) {
    if (pid_ != 0)
      return;
    const auto join = "--troupe.join=" + troupe::machines::address();
    ::setenv("TROUPE_KEY", "a key for measuring machines", 1);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 2);
    ::execl("/proc/self/exe", "bench_machines", join.c_str(), nullptr);
    ::_exit(127);
  }
  other_terminal(const other_terminal&) = delete;
  other_terminal& operator=(const other_terminal&) = delete;
  ~other_terminal() {
    kill();
  }

  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
  }

  [[nodiscard]] int pid() const noexcept {
    return pid_;
  }

private:
  int pid_;
};

/// Seconds of a processor that a process has used, to the nanosecond: the ticks
/// of `/proc/PID/stat` are a tenth of what is allowed here in ten seconds.
double processor_time(int pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0
      || ::clock_gettime(clock, &used) != 0)
    return 0;
  return static_cast<double>(used.tv_sec)
         + static_cast<double>(used.tv_nsec) * 1e-9;
}

/// The same of a root and its children: its fork server is one of them.
double processor_time_of_run(int root) {
  const auto number = std::to_string(root);
  auto used = processor_time(root);
  std::ifstream children{"/proc/" + number + "/task/" + number + "/children"};
  for (int pid = 0; children >> pid;)
    used += processor_time(pid);
  return used;
}

void measure_joins(bench::suite& suite) {
  std::vector<double> joins;
  std::vector<double> losses;
  for (int turn = 0; turn < suite.scaled(7, 1); ++turn) {
    const auto start = clock_type::now();
    other_terminal other;
    const auto machine = troupe::machines::wait_for(1, patience).front();
    static_cast<void>(machine.start<square>(3).get());
    joins.push_back(milliseconds_since(start));
    auto napping = machine.start<nap>();
    static_cast<void>(machine.start<square>(3).get());
    const auto death = clock_type::now();
    other.kill();
    try {
      napping.get();
    } catch (const troupe::machine_lost&) {
      losses.push_back(milliseconds_since(death));
    }
  }
  suite.report("join_to_first_result", median(joins), "ms");
  suite.report("root_killed_to_machine_lost", median(losses), "ms");
}

void measure_starts(bench::suite& suite, const troupe::machine& machine) {
  std::vector<double> there;
  std::vector<double> here;
  for (int turn = -5; turn < suite.scaled(200, 3); ++turn) {
    const auto start = clock_type::now();
    static_cast<void>(machine.start<square>(turn).get());
    const auto took = milliseconds_since(start);
    const auto again = clock_type::now();
    static_cast<void>(troupe::async<square>(turn).get());
    if (turn < 0)
      continue;
    there.push_back(took);
    here.push_back(milliseconds_since(again));
  }
  suite.report("start_to_result.troupe", median(there), "ms");
  suite.report("start_to_result.at_home", median(here), "ms");
  const int many = suite.scaled(400, 10);
  const auto start = clock_type::now();
  std::vector<troupe::machine_future<long>> all;
  for (int i = 0; i < many; ++i)
    all.push_back(machine.start<square>(i));
  for (auto& each : all)
    static_cast<void>(each.get());
  suite.report("starts_at_once", many / bench::seconds_since(start), "1/s");
}

void measure_idleness(bench::suite& suite, int machine) {
  const auto time = suite.scaled(20s, 1s);
  const auto used = [machine] {
    // The machine is a child of the lead's root, too.
    return processor_time_of_run(::getpid()) + processor_time_of_run(machine)
           - processor_time(machine);
  };
  const auto before = used();
  std::this_thread::sleep_for(time);
  suite.report(
    "idle_both_ends",
    100 * (used() - before) / std::chrono::duration<double>(time).count(), "%");
}

} // namespace

int main(int argc, char** argv) {
  const bool has_option = argc > 1
                          && std::string_view{argv[1]}.starts_with("--troupe.");
  if (!has_option) {
    ::setenv("TROUPE_KEY", "a key for measuring machines", 1);
    char listen[] = "--troupe.listen=127.0.0.1:0";
    std::vector<char*> words{argv[0], listen};
    words.insert(words.end(), argv + 1, argv + argc);
    words.push_back(nullptr);
    ::execv("/proc/self/exe", words.data());
    return 127;
  }
  bench::use_balls();
  troupe::program program{argc, argv};
  bench::suite suite{"machines", argc, argv};
  if (suite.wants("join_to_first_result"))
    measure_joins(suite);
  {
    const other_terminal other;
    const auto machine = troupe::machines::wait_for(1, patience).front();
    if (suite.wants("start"))
      measure_starts(suite, machine);
    if (suite.wants("idle_both_ends"))
      measure_idleness(suite, other.pid());
    bench::measure_actors(suite, machine);
  }
  suite.at_most(150, "join_to_first_result");
  suite.at_most(50, "root_killed_to_machine_lost");
  suite.at_most(5, "start_to_result.troupe");
  suite.at_most(0.1, "idle_both_ends");
  return 0;
}
