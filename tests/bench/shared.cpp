// SPDX-License-Identifier: BSL-1.0
// What shared values cost: lines `suite metric value unit`, medians.
//
// The sums run in a child process over memory that its parent has filled; the
// private one over memory that the child has filled itself. "first" counts
// that the child has to map the pages, "again" does not.
#include "suite.hpp"

#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using bench::clock_type;
using bench::median;
using bench::seconds_since;

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

/// `by_elements`: the parent writes them one after the other, so that the array
/// takes a small page at a time; else it calls `fill`.
void bench_sums(bench::suite& suite, std::size_t size, int rounds,
                bool by_elements) {
  const char* const suffix = by_elements ? "_by_elements" : "";
  const auto say = [&suite, suffix](const std::string& metric, double value,
                                    const char* unit) {
    const auto dot = metric.find('.');
    suite.report(dot == std::string::npos
                   ? metric + suffix
                   : metric.substr(0, dot) + suffix + metric.substr(dot),
                 value, unit);
  };
  std::vector<double> own, first, again;
  auto start = clock_type::now();
  const troupe::array<double> numbers(size);
  say("array_1gib_create", seconds_since(start) * 1e6, "us");
  start = clock_type::now();
  if (by_elements)
    std::ranges::fill(numbers, 1.0);
  else
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
  say("sum_1gib.private", median(own) * 1e3, "ms");
  say("sum_1gib.shared_first", median(first) * 1e3, "ms");
  say("sum_1gib.troupe", median(again) * 1e3, "ms");
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

void bench_access(bench::suite& suite, int batch) {
  const troupe::value<int> number;
  suite.report("value_get",
               nanoseconds_of(batch,
                              [&] {
                                static_cast<void>(
                                  number.load(std::memory_order_relaxed));
                              }),
               "ns");
  suite.report("value_set", nanoseconds_of(batch, [&] { number.set(1); }),
               "ns");
  suite.report("value_read_add_write",
               nanoseconds_of(batch, [&] { number.set(number + 1); }), "ns");
  suite.report("value_fetch_add", nanoseconds_of(batch, [&] { ++number; }),
               "ns");
}

void bench_objects(bench::suite& suite, int batch) {
  using namespace troupe::memory;
  suite.report("object_create_and_free",
               nanoseconds_of(batch,
                              [] {
                                static_cast<void>(
                                  reference::create(object_kind::user, 64));
                              })
                 / 1e3,
               "us");
  const auto held = reference::create(object_kind::user, 64);
  suite.report("object_attach_again",
               nanoseconds_of(batch,
                              [&] {
                                static_cast<void>(reference::attach(
                                  held.id(), object_kind::user));
                              }),
               "ns");
  suite.report("object_send_and_receive",
               nanoseconds_of(batch,
                              [&] {
                                const std::array ids{held.id()};
                                const auto message
                                  = reference::create_with_shares(
                                    object_kind::message, 0, ids);
                                static_cast<void>(reference::attach(
                                  message.shared_ids()[0], object_kind::user));
                              }),
               "ns");
  // As another process would: what it holds is not known to it yet.
  const auto cost
    = troupe::async(
        [](object_id where, int times) {
          return nanoseconds_of(times, [where] {
            static_cast<void>(reference::attach(where, object_kind::user));
          });
        },
        held.id(), batch)
        .get();
  suite.report("object_first_attach_and_drop", cost / 1e3, "us");
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"shared", argc, argv};
  for (const bool by_elements : {false, true})
    bench_sums(suite, suite.scaled<std::size_t>(1 << 27, 1 << 16),
               suite.scaled(3, 1), by_elements);
  bench_access(suite, suite.scaled(10'000'000, 100));
  bench_objects(suite, suite.scaled(20'000, 100));
  suite.compare("sum_1gib.shared_first", "sum_1gib.private");
  suite.at_most(1.1, "sum_1gib.troupe", "sum_1gib.private");
  suite.compare("sum_1gib_by_elements.troupe", "sum_1gib_by_elements.private");
  return 0;
}
