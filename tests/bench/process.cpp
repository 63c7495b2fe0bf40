// SPDX-License-Identifier: BSL-1.0

// Processes: how long a start takes, how many can be alive, how soon a death is
// known. Python's forkserver and a bare fork are measured in the same run,
// turn by turn, so that a busy machine is busy for all of them.

#include "peer.hpp"
#include "suite.hpp"

#include <troupe/process/program.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using bench::clock_type;
using bench::median;

void nothing() {
}

void sleep_for_ever() {
  for (;;)
    ::pause();
}

double microseconds_since(clock_type::time_point start) {
  return bench::seconds_since(start) * 1e6;
}

/// `bench_process --bare`: forks and waits, in a small process without a run.
int measure_bare_fork() {
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const auto start = clock_type::now();
    const auto pid = ::fork();
    if (pid == 0)
      ::_exit(0);
    ::waitpid(pid, nullptr, 0);
    std::printf("%f\n", microseconds_since(start));
    std::fflush(stdout);
  }
  return 0;
}

void measure_starts(bench::suite& suite) {
  const int turns = suite.scaled(200, 5);
  bench::peer bare{{"/proc/self/exe", "--bare"}};
  bench::peer python{{"python3", TROUPE_BENCH_PEERS "/forkserver.py"}};
  std::vector<double> ours;
  std::vector<double> forks;
  std::vector<double> pythons;
  for (int turn = -5; turn < turns; ++turn) {
    const auto start = clock_type::now();
    troupe::start<nothing>().join();
    const auto took = microseconds_since(start);
    const auto fork_took = bare.ask("fork");
    // Python is slow: every fourth turn is enough for a median.
    const auto python_took
      = python.present() && turn % 4 == 0 ? python.ask("start") : 0;
    if (turn < 0)
      continue;
    ours.push_back(took);
    forks.push_back(fork_took);
    if (python_took > 0)
      pythons.push_back(python_took);
  }
  suite.report("start_join.troupe", median(ours), "us");
  suite.report("start_join.bare_fork", median(forks), "us");
  if (python.present())
    suite.report("start_join.python", median(pythons), "us");
  else
    suite.absent("python", "python3 is absent, or has no multiprocessing");
  const auto spawned = bench::median_of(turns / 4, [] {
    troupe::start_options options;
    options.method = troupe::start_method::spawn;
    const auto start = clock_type::now();
    troupe::start<nothing>(options).join();
    return microseconds_since(start);
  });
  suite.report("spawn_start_join", spawned, "us");
}

void measure_many(bench::suite& suite) {
  const int count = suite.scaled(1000, 20);
  const auto start = clock_type::now();
  std::vector<troupe::process> children;
  for (int i = 0; i < count; ++i)
    children.push_back(troupe::start<sleep_for_ever>());
  for (const auto& child : children)
    static_cast<void>(child.pid());
  suite.report("thousand_alive", microseconds_since(start) / 1000, "ms");
  std::vector<double> sizes;
  for (std::size_t i = 0; i < children.size(); i += 50)
    sizes.push_back(bench::proportional_mebibytes(children[i].pid()));
  suite.report("idle_child_pss", median(sizes), "MiB");
  const auto kill = clock_type::now();
  for (const auto& child : children)
    child.kill();
  for (const auto& child : children)
    child.join();
  suite.report("thousand_killed_and_joined", microseconds_since(kill) / 1000,
               "ms");
}

void measure_death_notice(bench::suite& suite) {
  std::vector<double> latencies;
  for (int turn = 0; turn < suite.scaled(100, 3); ++turn) {
    const auto child = troupe::start<sleep_for_ever>();
    const auto pid = child.pid();
    const auto start = clock_type::now();
    ::kill(pid, SIGKILL);
    child.join();
    latencies.push_back(microseconds_since(start) / 1000);
  }
  suite.report("kill_to_join", median(latencies), "ms");
  suite.report("kill_to_join_worst",
               *std::max_element(latencies.begin(), latencies.end()), "ms");
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "--bare")
    return measure_bare_fork();
  troupe::program program{argc, argv};
  bench::suite suite{"process", argc, argv};
  measure_death_notice(suite);
  measure_starts(suite);
  measure_many(suite);
  suite.at_least(6, "start_join.python", "start_join.troupe");
  suite.at_most(4, "start_join.troupe", "start_join.bare_fork");
  suite.at_most(1, "idle_child_pss");
  suite.at_most(5, "kill_to_join");
  return 0;
}
