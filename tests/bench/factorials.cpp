// SPDX-License-Identifier: BSL-1.0

// The notebook's first program: three factorials, in one process, in three of
// ours, and in three of Python's.

#include "suite.hpp"

#include <troupe/process/program.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using bench::clock_type;
using bench::seconds_since;
using boost::multiprecision::cpp_int;

/// Returns the lowest 32 bits of what is left of n! without its trailing zero
/// bits: something that cannot be had without the factorial.
std::uint32_t compute_factorial(std::uint32_t n) {
  cpp_int result = 1;
  for (std::uint32_t i = 2; i <= n; ++i)
    result *= i;
  result >>= lsb(result);
  return static_cast<std::uint32_t>(result & 0xFFFFFFFFU);
}

/// What Python's program says it took; 0 if there is no Python.
double python_seconds(std::uint32_t scale) {
  const std::string command = "python3 '" TROUPE_BENCH_PEERS "/factorials.py' "
                              + std::to_string(scale) + " 2>/dev/null";
  double seconds = 0;
  std::FILE* const answer = ::popen(command.c_str(), "r");
  if (answer == nullptr)
    return 0;
  if (std::fscanf(answer, "%lf", &seconds) != 1)
    seconds = 0;
  ::pclose(answer);
  return seconds;
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"factorials", argc, argv};
  const auto scale = suite.scaled(10000U, 100U);
  std::vector<std::uint32_t> results;
  auto start = clock_type::now();
  for (const auto factor : {5U, 6U, 7U})
    results.push_back(compute_factorial(factor * scale));
  suite.report("wall_time.one_process", seconds_since(start), "s");
  start = clock_type::now();
  std::vector<troupe::future<std::uint32_t>> futures;
  for (const auto factor : {5U, 6U, 7U})
    futures.push_back(troupe::async<compute_factorial>(factor * scale));
  for (std::size_t i = 0; i < futures.size(); ++i)
    if (futures[i].get() != results[i])
      return 1;
  suite.report("wall_time.troupe", seconds_since(start), "s");
  if (const auto python = python_seconds(scale); python > 0)
    suite.report("wall_time.python", python, "s");
  else
    suite.absent("python", "python3 is absent");
  suite.compare("wall_time.one_process", "wall_time.troupe");
  suite.compare("wall_time.python", "wall_time.troupe");
  return 0;
}
