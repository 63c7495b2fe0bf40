// SPDX-License-Identifier: BSL-1.0
// Notebook, "Multiprocessing", in actors: three factorials by three actors,
// each in a process of its own.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <vector>

using boost::multiprecision::cpp_int;

/// Returns how many decimal digits a positive number has.
std::int64_t digits_of(const cpp_int& number) {
  const auto bits = static_cast<std::int64_t>(msb(number)) + 1;
  const auto shift = bits > 64 ? bits - 64 : 0;
  const auto top = static_cast<std::uint64_t>(number >> shift);
  return static_cast<std::int64_t>(
           std::floor(std::log10(static_cast<double>(top))
                      + static_cast<double>(shift) * std::log10(2.0)))
         + 1;
}

/// Computes a factorial (CPU-intensive), and ends.
caf::behavior compute_factorial(caf::event_based_actor* self) {
  return {[self](std::uint32_t n) {
    cpp_int result = 1;
    for (std::uint32_t i = 2; i <= n; ++i)
      result *= i;
    std::cout << "Factorial of " << n << " computed: " << digits_of(result)
              << " digits." << std::endl;
    self->quit();
  }};
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  const auto start_time = std::chrono::steady_clock::now();
  //[processes
  std::vector<caf::actor> processes;

  for (const std::uint32_t number : {50000U, 60000U, 70000U}) {
    processes.push_back(troupe::spawn<compute_factorial>());
    self->send(processes.back(), number);
  }

  self->wait_for(processes);
  //]

  const std::chrono::duration<double> time = std::chrono::steady_clock::now()
                                             - start_time;
  std::cout << "Total execution time (Multiprocessing): " << std::fixed
            << std::setprecision(2) << time.count() << " seconds" << std::endl;
}
