// SPDX-License-Identifier: BSL-1.0

// A pool of two workers: tiny tasks in default chunks, alone, and as they come;
// one task; large results; tasks of a millisecond; start and end; 200 workers.
// Beside Python's Pool.

#include "peer.hpp"
#include "suite.hpp"

#include <troupe/base/copy.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/buffer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace {

int increment(int number) {
  return number + 1;
}

std::string large_text(std::size_t size) {
  return std::string(size, 'x');
}

troupe::buffer large_buffer(std::size_t size) {
  troupe::buffer result{size};
  for (auto& each : result.bytes())
    each = std::byte{1};
  return result;
}

/// What making the text alone takes a worker, after it has made some.
double seconds_of_text(std::size_t size) {
  static_cast<void>(large_text(size));
  const auto start = bench::clock_type::now();
  const auto text = large_text(size);
  const auto seconds = bench::seconds_since(start);
  return text.back() == 'x' ? seconds : 0;
}

std::uint64_t copied_by_worker() {
  return troupe::copied_bytes();
}

int millisecond(int number) {
  const auto start = bench::clock_type::now();
  while (bench::clock_type::now() - start < std::chrono::milliseconds{1}) {
  }
  return number;
}

double processor_seconds(int of) {
  rusage used{};
  ::getrusage(of, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec)
           + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double worker_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec)
         + static_cast<double>(used.tv_nsec) * 1e-9;
}

template <class Work>
double rate(std::size_t tasks, Work work) {
  const auto start = bench::clock_type::now();
  work();
  return static_cast<double>(tasks) / bench::seconds_since(start);
}

/// The suite with its peer, and what the measurements share.
struct bench_of_pools {
  bench::suite& suite;
  bench::peer& python;
  int turns = suite.scaled(5, 1);
  std::size_t tasks = suite.scaled<std::size_t>(200'000, 2'000);
  std::vector<int> numbers = numbers_below(tasks);

  static std::vector<int> numbers_below(std::size_t count) {
    std::vector<int> result(count);
    std::iota(result.begin(), result.end(), 0);
    return result;
  }

  double ask(const std::string& what, std::size_t count) {
    return suite.smoke() ? 0.0 : python.ask(what + ' ' + std::to_string(count));
  }

  void beside(const std::string& name, double ours, double theirs,
              const char* unit) {
    suite.report(name + ".troupe", ours, unit);
    if (theirs > 0)
      suite.report(name + ".python", theirs, unit);
  }

  void tiny_tasks(troupe::pool& pool) {
    static_cast<void>(pool.map<increment>(numbers, 100));
    const auto tasks_a_second = [&](auto work) {
      return bench::median_of(turns, [&] { return rate(tasks, work); });
    };
    if (suite.wants("map_default"))
      beside("map_default", tasks_a_second([&] {
               static_cast<void>(pool.map<increment>(numbers));
             }),
             ask("map", tasks), "1/s");
    if (suite.wants("map_chunk_1"))
      beside("map_chunk_1", tasks_a_second([&] {
               static_cast<void>(pool.map<increment>(numbers, 1));
             }),
             ask("map1", tasks / 10), "1/s");
    if (suite.wants("imap_unordered"))
      beside("imap_unordered", tasks_a_second([&] {
               long sum = 0;
               for (const auto each : pool.imap_unordered<increment>(numbers))
                 sum += each;
               static_cast<void>(sum);
             }),
             ask("unordered", tasks / 10), "1/s");
    if (suite.wants("apply"))
      beside("apply",
             1e6
               * bench::mean_time(suite.scaled(1.0, 0.01),
                                  [&] {
                                    static_cast<void>(pool.apply<increment>(1));
                                  }),
             ask("apply", tasks / 100), "us");
  }

  void large_results(troupe::pool& pool) {
    if (!suite.wants("result_64MiB"))
      return;
    const std::size_t size = suite.scaled<std::size_t>(64 << 20, 1 << 20);
    const auto gigabytes = [&](auto work) {
      return bench::median_of(turns, [&] { return rate(size, work) * 1e-9; });
    };
    beside("result_64MiB",
           gigabytes([&] { static_cast<void>(pool.apply<large_text>(size)); }),
           ask("large", size) * 1e-9, "GB/s");
    suite.report("result_64MiB.buffer", gigabytes([&] {
                   static_cast<void>(pool.apply<large_buffer>(size));
                 }),
                 "GB/s");
    // What nobody gets around: the bytes are made, and copied twice.
    suite.report("result_64MiB.made",
                 1e-9 * static_cast<double>(size)
                   / pool.apply<seconds_of_text>(size),
                 "GB/s");
    const auto source = large_text(size);
    suite.report("result_64MiB.copied", gigabytes([&] {
                   const std::string copy{source};
                   static_cast<void>(copy);
                 }),
                 "GB/s");
  }

  void copies_of_large_results() {
    if (!suite.wants("copies_64MiB"))
      return;
    const std::size_t size = suite.scaled<std::size_t>(64 << 20, 1 << 20);
    troupe::pool alone{1};
    const auto copies = [&](auto work) {
      const auto before = alone.apply<copied_by_worker>()
                          + troupe::copied_bytes();
      work();
      const auto copied = alone.apply<copied_by_worker>()
                          + troupe::copied_bytes() - before;
      return static_cast<double>(copied) / static_cast<double>(size);
    };
    suite.report("copies_64MiB.text", copies([&] {
                   static_cast<void>(alone.apply<large_text>(size));
                 }),
                 "times");
    suite.report("copies_64MiB.buffer", copies([&] {
                   static_cast<void>(alone.apply<large_buffer>(size));
                 }),
                 "times");
  }

  void tasks_of_a_millisecond(troupe::pool& pool) {
    if (!suite.wants("millisecond"))
      return;
    const std::size_t count = suite.scaled<std::size_t>(1000, 20);
    const auto few = numbers_below(count);
    const auto tasks_a_second = bench::median_of(turns, [&] {
      return rate(count,
                  [&] { static_cast<void>(pool.map<millisecond>(few, 1)); });
    });
    suite.report("millisecond_of_ideal", 100 * tasks_a_second / 2000, "%");
  }

  void processor_time() {
    if (!suite.wants("processor_time"))
      return;
    std::vector<int> more(tasks, 0);
    const auto before = processor_seconds(RUSAGE_SELF);
    troupe::pool pool{2};
    static_cast<void>(pool.map<increment>(more, 1));
    const auto own = processor_seconds(RUSAGE_SELF) - before;
    double workers = 0;
    // Each is asked: the two tasks sleep, so that no worker has both.
    auto first = pool.apply_async([] {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
      return worker_seconds();
    });
    auto second = pool.apply_async([] {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
      return worker_seconds();
    });
    workers = first.get() + second.get();
    const auto count = static_cast<double>(tasks);
    suite.report("processor_time_caller", own / count * 1e6, "us");
    suite.report("processor_time_workers", workers / count * 1e6, "us");
    suite.report("processor_time_task", (own + workers) / count * 1e6, "us");
  }

  void start_and_end() {
    if (suite.wants("create"))
      beside("create_and_close",
             bench::median_of(suite.scaled(20, 2),
                              [&] {
                                const auto start = bench::clock_type::now();
                                troupe::pool pool{2};
                                pool.close();
                                pool.join();
                                return bench::seconds_since(start) * 1e3;
                              }),
             ask("create", 10), "ms");
    if (suite.wants("workers_200")) {
      const auto start = bench::clock_type::now();
      troupe::pool pool{suite.scaled(200U, 20U)};
      static_cast<void>(pool.map<increment>(numbers_below(2000), 1));
      pool.close();
      pool.join();
      suite.report("workers_200", bench::seconds_since(start), "s");
    }
  }
};

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"pool", argc, argv};
  bench::peer python{{"python3", TROUPE_BENCH_PEERS "/pool.py"}};
  if (!python.present())
    suite.absent("python", "python3 is absent, or has no multiprocessing");
  bench_of_pools of{suite, python};
  {
    troupe::pool pool{2};
    of.tiny_tasks(pool);
    of.large_results(pool);
    of.copies_of_large_results();
    of.tasks_of_a_millisecond(pool);
  }
  of.processor_time();
  of.start_and_end();

  suite.at_least(5, "map_default.troupe", "map_default.python");
  suite.at_least(10, "map_chunk_1.troupe", "map_chunk_1.python");
  suite.at_least(10, "imap_unordered.troupe", "imap_unordered.python");
  suite.at_most(0.1, "apply.troupe", "apply.python");
  suite.at_most(1.0 / 6, "create_and_close.troupe", "create_and_close.python");
  suite.at_least(5, "result_64MiB.troupe", "result_64MiB.python");
  suite.at_least(5, "result_64MiB.buffer", "result_64MiB.python");
  suite.at_most(0, "copies_64MiB.buffer");
  suite.at_most(3, "processor_time_task");
  suite.at_least(97, "millisecond_of_ideal");
}
