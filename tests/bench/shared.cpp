// SPDX-License-Identifier: BSL-1.0
// What shared values cost: lines `suite metric value unit`, medians.
//
// The sums run in a child process over memory that its parent has filled; the
// private one over memory that the child has filled itself. "first" counts
// that the child has to map the pages, "again" does not.
#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

void print(const char* metric, double value, const char* unit) {
  std::printf("shared %s %.4g %s\n", metric, value, unit);
}

/// Four sums at once: one alone would measure the latency of an addition.
double sum_of(std::span<const double> numbers) {
  double sums[4] = {};
  for (std::size_t at = 0; at + 4 <= numbers.size(); at += 4)
    for (std::size_t lane = 0; lane < 4; ++lane)
      sums[lane] += numbers[at + lane];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

struct sums {
  double result;
  double first;
  double again;
};

sums time_sums(std::span<const double> numbers) {
  auto start = clock_type::now();
  const double result = sum_of(numbers);
  const double first = seconds_since(start);
  start = clock_type::now();
  const double again = sum_of(numbers) == result ? seconds_since(start) : -1;
  return {result, first, again};
}

sums sum_private(std::size_t size) {
  const auto numbers = std::make_unique_for_overwrite<double[]>(size);
  std::fill_n(numbers.get(), size, 1.0);
  return time_sums({numbers.get(), size});
}

sums sum_shared(troupe::array<double> numbers) {
  return time_sums(numbers);
}

void bench_sums(std::size_t size, int rounds, bool populate) {
  const char* const suffix = populate ? "_populated" : "";
  const auto say = [suffix](std::string metric, double value,
                            const char* unit) {
    print((metric + suffix).c_str(), value, unit);
  };
  std::vector<double> own, first, again;
  auto start = clock_type::now();
  const troupe::array<double> numbers(size);
  say("array_1gib_create", seconds_since(start) * 1e6, "us");
  if (populate) {
    start = clock_type::now();
    numbers.populate();
    print("array_1gib_populate", seconds_since(start) * 1e3, "ms");
  }
  start = clock_type::now();
  numbers.fill(1.0);
  say("array_1gib_first_write", seconds_since(start) * 1e3, "ms");
  for (int round = 0; round < rounds; ++round) {
    const auto here = troupe::async<sum_private>(size).get();
    const auto there = troupe::async<sum_shared>(numbers).get();
    if (here.result != there.result)
      std::printf("shared sums differ\n");
    own.push_back(here.again);
    first.push_back(there.first);
    again.push_back(there.again);
  }
  say("sum_1gib_private", median(own) * 1e3, "ms");
  say("sum_1gib_shared_first", median(first) * 1e3, "ms");
  say("sum_1gib_shared_again", median(again) * 1e3, "ms");
  say("sum_1gib_first_to_private", median(first) / median(own), "ratio");
  say("sum_1gib_again_to_private", median(again) / median(own), "ratio");
}

/// Nanoseconds of one call of `work`, median of several batches.
template <class Work>
double nanoseconds_of(int batch, Work work) {
  std::vector<double> times;
  for (int round = 0; round < 9; ++round) {
    const auto start = clock_type::now();
    for (int call = 0; call < batch; ++call)
      work();
    times.push_back(seconds_since(start) / batch * 1e9);
  }
  return median(times);
}

void bench_access(int batch) {
  const troupe::value<int> number;
  print("value_get",
        nanoseconds_of(
          batch,
          [&] { static_cast<void>(number.load(std::memory_order_relaxed)); }),
        "ns");
  print("value_set", nanoseconds_of(batch, [&] { number.set(1); }), "ns");
  print("value_read_add_write",
        nanoseconds_of(batch, [&] { number.set(number + 1); }), "ns");
  print("value_fetch_add", nanoseconds_of(batch, [&] { ++number; }), "ns");
}

void bench_objects(int batch) {
  using namespace troupe::memory;
  print("object_create_and_free",
        nanoseconds_of(
          batch,
          [] { static_cast<void>(reference::create(object_kind::user, 64)); })
          / 1e3,
        "us");
  const auto held = reference::create(object_kind::user, 64);
  print("object_attach_again",
        nanoseconds_of(batch,
                       [&] {
                         static_cast<void>(
                           reference::attach(held.where(), object_kind::user));
                       }),
        "ns");
  print("object_send_and_receive",
        nanoseconds_of(
          batch,
          [&] { static_cast<void>(receive(send(held), object_kind::user)); }),
        "ns");
  // As another process would: what it holds is not known to it yet.
  const auto cost
    = troupe::async(
        [](offset where, int times) {
          return nanoseconds_of(times, [where] {
            static_cast<void>(reference::attach(where, object_kind::user));
          });
        },
        held.where(), batch)
        .get();
  print("object_first_attach_and_drop", cost / 1e3, "us");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const bool smoke = argc > 1 && std::strcmp(argv[1], "--smoke") == 0;
  for (const bool populate : {false, true})
    bench_sums(smoke ? 1 << 16 : 1 << 27, smoke ? 1 : 5, populate);
  bench_access(smoke ? 100 : 10'000'000);
  bench_objects(smoke ? 100 : 20'000);
}
