// SPDX-License-Identifier: BSL-1.0

// The mutex: alone, in the notebook's loop with two and four processes, waking
// a sleeper, after its owner's death, and ten thousand of them; beside a bare
// robust pthread mutex and Python's Lock.

#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/robust_mutex.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using troupe::memory::object_kind;
using troupe::memory::reference;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Measure>
double median_of(int turns, Measure measure) {
  std::vector<double> values;
  for (int i = 0; i < turns; ++i)
    values.push_back(measure());
  return median(std::move(values));
}

void print(const char* metric, double value, const char* unit) {
  std::printf("sync %s %.4g %s\n", metric, value, unit);
  std::fflush(stdout);
}

/// The bare robust mutex, as an object of the run.
struct bare {
  reference object;

  static bare make() {
    bare result{reference::create(object_kind::user, 64)};
    result.mutex().initialise();
    return result;
  }
  [[nodiscard]] troupe::os::robust_mutex& mutex() const {
    return *object.as<troupe::os::robust_mutex>();
  }
  void lock() const {
    static_cast<void>(mutex().lock());
  }
  void unlock() const {
    mutex().unlock();
  }
  void save(troupe::codec::encoder& to) const {
    to.handle(object);
  }
  static bare load(troupe::codec::decoder& from) {
    return bare{from.handle(object_kind::user)};
  }
};

template <class Lock>
double alone(const Lock& lock, long times) {
  const auto start = clock_type::now();
  for (long i = 0; i < times; ++i) {
    lock.lock();
    lock.unlock();
  }
  return static_cast<double>(times) / seconds_since(start) / 1e6;
}

/// The notebook's loop, until told to stop.
template <class Lock>
void loop(Lock lock, troupe::value<int> balance, troupe::value<int> phase,
          troupe::array<long> counts, std::size_t me) {
  counts.atomic(me).store(-1);
  while (phase.load() == 0)
    std::this_thread::yield();
  long done = 0;
  for (; phase.load(std::memory_order_relaxed) == 1; ++done) {
    lock.lock();
    balance.raw() = balance.raw() - 1;
    lock.unlock();
  }
  counts.atomic(me).store(done);
}

struct shared_loop {
  /// Millions a second, of all together.
  double rate;
  /// The slowest process beside the mean.
  double fairness;
};

template <class Lock>
shared_loop together(const Lock& lock, std::size_t processes, double seconds) {
  const troupe::value<int> balance{0};
  const troupe::value<int> phase{0};
  const troupe::array<long> counts(processes);
  std::vector<troupe::process> all;
  for (std::size_t i = 0; i < processes; ++i)
    all.push_back(troupe::start<loop<Lock>>(lock, balance, phase, counts, i));
  for (std::size_t i = 0; i < processes; ++i)
    while (counts.atomic(i).load() == 0)
      std::this_thread::yield();
  const auto start = clock_type::now();
  phase.store(1);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  phase.store(2);
  const auto took = seconds_since(start);
  all.clear();
  long sum = 0;
  for (const long each : counts)
    sum += each;
  const auto slowest
    = static_cast<double>(*std::min_element(counts.begin(), counts.end()));
  return {static_cast<double>(sum) / took / 1e6,
          slowest * static_cast<double>(processes) / static_cast<double>(sum)};
}

/// Sleeps for the lock and notes when it has it.
void note_wake_up(troupe::mutex lock, troupe::value<std::int64_t> at, int times,
                  troupe::event held, troupe::event taken) {
  for (int i = 0; i < times; ++i) {
    held.wait();
    held.clear();
    lock.lock();
    at.store(clock_type::now().time_since_epoch().count());
    lock.unlock();
    taken.set();
  }
}

std::int64_t now() {
  return clock_type::now().time_since_epoch().count();
}

/// Microseconds from unlock to the sleeper's having the lock.
double wake_up(int times) {
  const troupe::mutex lock;
  const troupe::value<std::int64_t> at{0};
  const troupe::event held;
  const troupe::event taken;
  auto other = troupe::start<note_wake_up>(lock, at, times, held, taken);
  std::vector<double> values;
  for (int i = 0; i < times; ++i) {
    lock.lock();
    held.set();
    while (lock.waiters().empty())
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    const auto before = now();
    lock.unlock();
    taken.wait();
    taken.clear();
    values.push_back(static_cast<double>(at.load() - before) / 1e3);
  }
  return median(std::move(values));
}

struct futex_word {
  reference object;

  [[nodiscard]] troupe::os::wait_word& word() const {
    return *object.as<troupe::os::wait_word>();
  }
  void save(troupe::codec::encoder& to) const {
    to.handle(object);
  }
  static futex_word load(troupe::codec::decoder& from) {
    return futex_word{from.handle(object_kind::user)};
  }
};

void sleep_on(futex_word word, troupe::value<std::int64_t> at, int times,
              troupe::event held, troupe::event taken) {
  for (int i = 0; i < times; ++i) {
    held.wait();
    held.clear();
    while (word.word().load() == static_cast<std::uint32_t>(i))
      static_cast<void>(troupe::os::wait(
        word.word(), static_cast<std::uint32_t>(i), troupe::deadline::never()));
    at.store(now());
    taken.set();
  }
}

double bare_wake_up(int times) {
  const futex_word word{reference::create(object_kind::user, 64)};
  const troupe::value<std::int64_t> at{0};
  const troupe::event held;
  const troupe::event taken;
  auto other = troupe::start<sleep_on>(word, at, times, held, taken);
  std::vector<double> values;
  for (int i = 0; i < times; ++i) {
    held.set();
    std::this_thread::sleep_for(std::chrono::milliseconds{3});
    const auto before = now();
    word.word().store(static_cast<std::uint32_t>(i) + 1);
    troupe::os::wake(word.word(), 1);
    taken.wait();
    taken.clear();
    values.push_back(static_cast<double>(at.load() - before) / 1e3);
  }
  return median(std::move(values));
}

void hold(troupe::mutex lock, troupe::event held) {
  lock.lock();
  held.set();
  troupe::event{}.wait();
}

/// Milliseconds from the kill of the owner to having its lock.
double after_death(int times) {
  return median_of(times, [] {
    const troupe::mutex lock;
    const troupe::event held;
    auto owner = troupe::start<hold>(lock, held);
    held.wait();
    const auto start = clock_type::now();
    owner.kill();
    lock.lock();
    const auto took = seconds_since(start) * 1e3;
    lock.unlock();
    return took;
  });
}

void many(int count) {
  auto& memory = troupe::memory::run_memory::current();
  const auto before = memory.used_bytes();
  const auto start = clock_type::now();
  const std::vector<troupe::mutex> all(static_cast<std::size_t>(count));
  print("creation", count / seconds_since(start), "1/s");
  print("memory_of_one",
        static_cast<double>(memory.used_bytes() - before) / count, "bytes");
}

/// What Python says: pairs a second alone and with two processes.
bool ask_python(long times, double& alone_rate, double& loop_rate) {
  const std::string command = "python3 '" TROUPE_BENCH_PEERS "/sync.py' "
                              + std::to_string(times) + " 2>/dev/null";
  std::FILE* const answer = ::popen(command.c_str(), "r");
  if (answer == nullptr)
    return false;
  const bool good = std::fscanf(answer, "%lf %lf", &alone_rate, &loop_rate)
                    == 2;
  ::pclose(answer);
  return good;
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const bool smoke = argc > 1 && std::string_view{argv[1]} == "--smoke";
  const long times = smoke ? 10000 : 5'000'000;
  const double seconds = smoke ? 0.02 : 1.0;
  const int turns = smoke ? 1 : 5;

  const troupe::mutex lock;
  const auto robust = bare::make();
  const auto ours = median_of(turns, [&] { return alone(lock, times); });
  const auto its = median_of(turns, [&] { return alone(robust, times); });
  print("pair_alone", ours, "M/s");
  print("pair_alone_robust_mutex", its, "M/s");

  const auto rate = [&](const auto& of) {
    return median_of(turns, [&] { return together(of, 2, seconds).rate; });
  };
  const auto two = rate(lock);
  print("loop_two_processes", two, "M/s");
  print("loop_two_processes_robust_mutex", rate(robust), "M/s");
  print("slowest_of_four",
        median_of(turns,
                  [&] { return together(lock, 4, 2 * seconds).fairness; }),
        "of_mean");

  const auto woken = wake_up(smoke ? 3 : 200);
  const auto bare_woken = bare_wake_up(smoke ? 3 : 200);
  print("wake_up", woken, "us");
  print("wake_up_bare_futex", bare_woken, "us");
  print("after_death", after_death(smoke ? 3 : 50), "ms");
  many(smoke ? 100 : 10000);

  double python_alone = 0;
  double python_loop = 0;
  const bool python = ask_python(smoke ? 1000 : 1'000'000, python_alone,
                                 python_loop);
  if (python) {
    print("pair_alone_python", python_alone / 1e6, "M/s");
    print("loop_two_processes_python", python_loop / 1e6, "M/s");
  } else {
    std::printf("# python3 is absent, or has no multiprocessing: no peer\n");
  }
  print("time_alone_per_robust_mutex", its / ours, "ratio");
  print("wake_up_per_bare_futex", woken / bare_woken, "ratio");
  if (python) {
    print("alone_per_python", ours * 1e6 / python_alone, "ratio");
    print("loop_per_python", two * 1e6 / python_loop, "ratio");
  }
  return 0;
}
