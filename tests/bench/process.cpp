// SPDX-License-Identifier: BSL-1.0

// Processes: how long a start takes, how many can be alive, how soon a death is
// known. Python's forkserver and a bare fork are measured in the same run,
// turn by turn, so that a busy machine is busy for all of them.

#include <troupe/process/program.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using clock_type = std::chrono::steady_clock;

void nothing() {
}

void sleep_for_ever() {
  for (;;)
    ::pause();
}

double microseconds_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::micro>(clock_type::now() - start)
    .count();
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  const auto middle = values.begin()
                      + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void print(const char* metric, double value, const char* unit) {
  std::printf("process %s %.3f %s\n", metric, value, unit);
  std::fflush(stdout);
}

/// A program on the other side of two pipes that measures one thing whenever
/// it gets a byte, and answers with a line that holds microseconds.
class peer {
public:
  explicit peer(const std::vector<const char*>& command) {
    int there[2];
    int back[2];
    if (::pipe2(there, O_CLOEXEC) != 0 || ::pipe2(back, O_CLOEXEC) != 0)
      return;
    auto words = command;
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(there[0], 0);
      ::dup2(back[1], 1);
      ::execvp(words[0], const_cast<char* const*>(words.data()));
      ::_exit(127);
    }
    ::close(there[0]);
    ::close(back[1]);
    out_ = there[1];
    in_ = ::fdopen(back[0], "r");
    std::signal(SIGPIPE, SIG_IGN);
    present_ = measure() > 0;
  }

  ~peer() {
    ::close(out_);
    if (in_ != nullptr)
      std::fclose(in_);
    ::waitpid(pid_, nullptr, 0);
  }

  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  [[nodiscard]] bool present() const noexcept {
    return present_;
  }

  double measure() {
    double value = 0;
    if (::write(out_, "x", 1) != 1 || std::fscanf(in_, "%lf", &value) != 1)
      return 0;
    return value;
  }

private:
  int pid_ = -1;
  int out_ = -1;
  std::FILE* in_ = nullptr;
  bool present_ = false;
};

/// `bench_process --bare`: forks and waits, in a small process without a run.
int measure_bare_fork() {
  char byte = 0;
  while (::read(0, &byte, 1) == 1) {
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

/// Kilobytes of memory that belong to `pid` alone, shared pages by share.
double proportional_kilobytes(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  std::string word;
  double value = 0;
  while (file >> word)
    if (word == "Pss:" && file >> value)
      return value;
  return 0;
}

void measure_starts(bool smoke, const std::string& script) {
  const int turns = smoke ? 5 : 400;
  peer bare{{"/proc/self/exe", "--bare"}};
  peer python{{"python3", script.c_str()}};
  std::vector<double> ours;
  std::vector<double> forks;
  std::vector<double> pythons;
  for (int turn = -5; turn < turns; ++turn) {
    const auto start = clock_type::now();
    troupe::start<nothing>().join();
    const auto took = microseconds_since(start);
    const auto fork_took = bare.measure();
    // Python is slow: every fourth turn is enough for a median.
    const auto python_took
      = python.present() && turn % 4 == 0 ? python.measure() : 0;
    if (turn < 0)
      continue;
    ours.push_back(took);
    forks.push_back(fork_took);
    if (python_took > 0)
      pythons.push_back(python_took);
  }
  print("start_join", median(ours), "us");
  print("bare_fork_waitpid", median(forks), "us");
  if (python.present())
    print("python_forkserver_start_join", median(pythons), "us");
  else
    std::printf("# python3 is absent, or has no multiprocessing: no peer\n");
  std::vector<double> spawned;
  for (int turn = 0; turn < turns / 4; ++turn) {
    troupe::start_options options;
    options.method = troupe::start_method::spawn;
    const auto start = clock_type::now();
    troupe::start<nothing>(options).join();
    spawned.push_back(microseconds_since(start));
  }
  print("spawn_start_join", median(spawned), "us");
  print("start_join_per_bare_fork", median(ours) / median(forks), "ratio");
  if (python.present())
    print("python_forkserver_per_start_join", median(pythons) / median(ours),
          "ratio");
}

void measure_many(bool smoke) {
  const int count = smoke ? 20 : 1000;
  const auto start = clock_type::now();
  std::vector<troupe::process> children;
  for (int i = 0; i < count; ++i)
    children.push_back(troupe::start<sleep_for_ever>());
  for (const auto& child : children)
    static_cast<void>(child.pid());
  print("thousand_alive", microseconds_since(start) / 1000, "ms");
  std::vector<double> sizes;
  for (std::size_t i = 0; i < children.size(); i += 50)
    sizes.push_back(proportional_kilobytes(children[i].pid()));
  print("idle_child_pss", median(sizes) / 1024, "MiB");
  const auto kill = clock_type::now();
  for (const auto& child : children)
    child.kill();
  for (const auto& child : children)
    child.join();
  print("thousand_killed_and_joined", microseconds_since(kill) / 1000, "ms");
}

void measure_death_notice(bool smoke) {
  std::vector<double> latencies;
  for (int turn = 0; turn < (smoke ? 3 : 200); ++turn) {
    const auto child = troupe::start<sleep_for_ever>();
    const auto pid = child.pid();
    const auto start = clock_type::now();
    ::kill(pid, SIGKILL);
    child.join();
    latencies.push_back(microseconds_since(start) / 1000);
  }
  print("kill_to_join", median(latencies), "ms");
  print("kill_to_join_worst",
        *std::max_element(latencies.begin(), latencies.end()), "ms");
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "--bare")
    return measure_bare_fork();
  troupe::program program{argc, argv};
  const bool smoke = argc > 1 && std::string_view{argv[1]} == "--smoke";
  measure_death_notice(smoke);
  measure_starts(smoke, TROUPE_BENCH_PEERS "/forkserver.py");
  measure_many(smoke);
  return 0;
}
