// SPDX-License-Identifier: BSL-1.0

// Processes that host actors: how long one takes to answer first, what memory
// it takes, and what a hundred idle ones cost. A program of its own, without
// CAF's middleman: the code of the program is the larger part of that memory.

#include "suite.hpp"

#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using bench::clock_type;
using bench::seconds_since;

caf::behavior echo() {
  return {[](std::int32_t x) { return x; }};
}

/// Memory that no other process has mapped.
double private_mebibytes(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  std::string word;
  double total = 0;
  double kibibytes = 0;
  while (file >> word)
    if (word.starts_with("Private_") && file >> kibibytes)
      total += kibibytes;
  return total / 1024;
}

void measure_start(bench::suite& suite) {
  std::vector<double> first_answers;
  std::vector<double> sizes;
  std::vector<double> own;
  for (int i = 0; i < suite.scaled(20, 2); ++i) {
    const auto start = clock_type::now();
    troupe::host host{"bench"};
    const auto actor = host.spawn<echo>();
    caf::scoped_actor self{troupe::actor_system()};
    self->request(actor, caf::infinite, 1)
      .receive([](std::int32_t) {}, [](caf::error&) {});
    first_answers.push_back(seconds_since(start) * 1e3);
    sizes.push_back(bench::proportional_mebibytes(host.pid()));
    own.push_back(private_mebibytes(host.pid()));
  }
  suite.report("host_first_answer", bench::median(first_answers), "ms");
  suite.report("host_pss", bench::median(sizes), "MiB");
  suite.report("host_private", bench::median(own), "MiB");
}

double cpu_seconds(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  text.erase(0, text.rfind(')') + 2);
  long long user = 0;
  long long system = 0;
  std::sscanf(text.c_str(),
              "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
              &system);
  return static_cast<double>(user + system)
         / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void measure_idle(bench::suite& suite) {
  const int count = suite.scaled(100, 3);
  std::vector<troupe::host> hosts;
  std::vector<caf::actor> actors;
  for (int i = 0; i < count; ++i) {
    hosts.emplace_back("idle");
    actors.push_back(hosts.back().spawn<echo>());
  }
  std::this_thread::sleep_for(500ms);
  const auto total = [&] {
    double sum = 0;
    for (const auto& host : hosts)
      sum += cpu_seconds(host.pid());
    return sum;
  };
  const auto before = total();
  const auto start = clock_type::now();
  std::this_thread::sleep_for(suite.scaled(3000ms, 200ms));
  suite.report("idle_100_hosts",
               (total() - before) / seconds_since(start) * 100, "%");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"hosts", argc, argv};
  if (suite.wants("host_first_answer"))
    measure_start(suite);
  if (suite.wants("idle_100_hosts"))
    measure_idle(suite);
  suite.at_most(4, "host_first_answer");
  suite.at_most(1.5, "host_pss");
  suite.at_most(1, "idle_100_hosts");
  return 0;
}
