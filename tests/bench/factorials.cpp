// SPDX-License-Identifier: BSL-1.0

// The notebook's first program: three factorials, in one process, in three of
// ours, and in three of Python's.

#include <troupe/process/program.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using boost::multiprecision::cpp_int;
using clock_type = std::chrono::steady_clock;

/// Returns the lowest 32 bits of what is left of n! without its trailing zero
/// bits: something that cannot be had without the factorial.
std::uint32_t compute_factorial(std::uint32_t n) {
  cpp_int result = 1;
  for (std::uint32_t i = 2; i <= n; ++i)
    result *= i;
  result >>= lsb(result);
  return static_cast<std::uint32_t>(result & 0xFFFFFFFFU);
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

double median(std::array<double, 3> values) {
  std::sort(values.begin(), values.end());
  return values[1];
}

void print(const char* metric, double value, const char* unit) {
  std::printf("factorials %s %.3f %s\n", metric, value, unit);
  std::fflush(stdout);
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
  const bool smoke = argc > 1 && std::string_view{argv[1]} == "--smoke";
  const std::uint32_t scale = smoke ? 100 : 10000;
  std::array<double, 3> alone{};
  std::array<double, 3> ours{};
  std::array<double, 3> pythons{};
  for (std::size_t turn = 0; turn < alone.size(); ++turn) {
    std::vector<std::uint32_t> results;
    auto start = clock_type::now();
    for (const auto factor : {5U, 6U, 7U})
      results.push_back(compute_factorial(factor * scale));
    alone[turn] = seconds_since(start);
    start = clock_type::now();
    std::vector<troupe::future<std::uint32_t>> futures;
    for (const auto factor : {5U, 6U, 7U})
      futures.push_back(troupe::async<compute_factorial>(factor * scale));
    for (std::size_t i = 0; i < futures.size(); ++i)
      if (futures[i].get() != results[i])
        return 1;
    ours[turn] = seconds_since(start);
    pythons[turn] = python_seconds(scale);
  }
  print("one_process", median(alone), "s");
  print("three_processes", median(ours), "s");
  if (median(pythons) > 0)
    print("python_three_processes", median(pythons), "s");
  else
    std::printf("# python3 is absent, or has no multiprocessing: no peer\n");
  print("one_per_three_processes", median(alone) / median(ours), "ratio");
  if (median(pythons) > 0)
    print("python_per_ours", median(pythons) / median(ours), "ratio");
  return 0;
}
