// SPDX-License-Identifier: BSL-1.0

// The mutex: alone, in the notebook's loop with two and four processes, waking
// a sleeper, after its owner's death, and ten thousand of them; beside a bare
// robust pthread mutex and Python's Lock.

#include "peer.hpp"
#include "suite.hpp"
#include "together.hpp"

#include <support/system_calls.hpp>

#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/robust_mutex.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using bench::clock_type;
using bench::median;
using bench::median_of;
using bench::seconds_since;
using troupe::memory::object_kind;
using troupe::memory::reference;

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

void lock_ten_thousand_times(troupe::mutex lock) {
  static_cast<void>(alone(lock, 10000));
}

/// The notebook's loop, until told to stop.
template <class Lock>
void loop(Lock lock, troupe::value<int> balance, bench::stretch in,
          std::size_t me) {
  bench::take_part(in, me, [&](long) {
    lock.lock();
    balance.raw() = balance.raw() - 1;
    lock.unlock();
  });
}

template <class Lock>
bench::turnout
together(const Lock& lock, std::size_t processes, double seconds) {
  const troupe::value<int> balance{0};
  return bench::together(
    processes, seconds, [&](const bench::stretch& in, std::size_t me) {
      return troupe::start<loop<Lock>>(lock, balance, in, me);
    });
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

void many(bench::suite& suite, int count) {
  auto& memory = troupe::memory::run_memory::current();
  const auto before = memory.used_bytes();
  const auto start = clock_type::now();
  const std::vector<troupe::mutex> all(static_cast<std::size_t>(count));
  suite.report("creation", count / seconds_since(start), "1/s");
  suite.report("memory_of_one",
               static_cast<double>(memory.used_bytes() - before) / count,
               "bytes");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"sync", argc, argv};
  const auto times = suite.scaled(3'000'000L, 10000L);
  const auto seconds = suite.scaled(0.4, 0.02);
  bench::peer python{{"python3", TROUPE_BENCH_PEERS "/sync.py"}};
  if (!python.present())
    suite.absent("python", "python3 is absent, or has no multiprocessing");

  const troupe::mutex lock;
  const auto robust = bare::make();
  std::vector<double> ours;
  std::vector<double> bares;
  std::vector<double> pythons;
  const auto ask = [&](const std::string& what, long pairs) {
    return python.present()
             ? python.ask(what + ' ' + std::to_string(pairs)) / 1e6
             : 0;
  };
  const auto report = [&](const std::string& metric, const char* unit) {
    suite.report(metric + ".troupe", median(std::exchange(ours, {})), unit);
    suite.report(metric + ".robust_mutex", median(std::exchange(bares, {})),
                 unit);
    if (python.present())
      suite.report(metric + ".python", median(std::exchange(pythons, {})),
                   unit);
  };
  for (int turn = 0; turn < suite.scaled(5, 1); ++turn) {
    ours.push_back(alone(lock, times));
    bares.push_back(alone(robust, times));
    pythons.push_back(ask("alone", times / 10));
  }
  report("lock_unlock_alone", "M/s");
  if (const auto calls
      = troupe::test::system_calls_of<lock_ten_thousand_times>(lock))
    suite.report("system_calls_of_10000_pairs", static_cast<double>(*calls),
                 "calls");
  for (int turn = 0; turn < suite.scaled(5, 1); ++turn) {
    ours.push_back(together(lock, 2, seconds).rate / 1e6);
    bares.push_back(together(robust, 2, seconds).rate / 1e6);
    pythons.push_back(ask("loop", times / 10));
  }
  report("loop_two_processes", "M/s");
  suite.report("slowest_of_four_processes",
               median_of(suite.scaled(3, 1),
                         [&] {
                           return together(lock, 4, 3 * seconds).fairness;
                         }),
               "of_mean");
  suite.report("wake_up.troupe", wake_up(suite.scaled(150, 3)), "us");
  suite.report("wake_up.futex", bare_wake_up(suite.scaled(150, 3)), "us");
  suite.report("after_death", after_death(suite.scaled(30, 3)), "ms");
  many(suite, suite.scaled(10000, 100));

  suite.at_least(1.5, "lock_unlock_alone.troupe", "lock_unlock_alone.python");
  suite.at_least(0.5, "lock_unlock_alone.troupe",
                 "lock_unlock_alone.robust_mutex");
  suite.at_most(0, "system_calls_of_10000_pairs");
  suite.at_least(4, "loop_two_processes.troupe", "loop_two_processes.python");
  suite.compare("loop_two_processes.troupe", "loop_two_processes.robust_mutex");
  suite.at_least(0.5, "slowest_of_four_processes");
  suite.at_most(1.5, "wake_up.troupe", "wake_up.futex");
  suite.at_most(5, "after_death");
  suite.at_least(20000, "creation");
  return 0;
}
