// SPDX-License-Identifier: BSL-1.0
// The notebook's factorials again: three numbers, as many workers as there are
// processors.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <vector>

using boost::multiprecision::cpp_int;

/// Computes a factorial and returns how many decimal digits it has.
std::int64_t digits_of_factorial(std::uint32_t n) {
  cpp_int result = 1;
  for (std::uint32_t i = 2; i <= n; ++i)
    result *= i;
  const auto bits = static_cast<std::int64_t>(msb(result)) + 1;
  const auto shift = bits > 64 ? bits - 64 : 0;
  const auto top = static_cast<std::uint64_t>(result >> shift);
  return static_cast<std::int64_t>(
           std::floor(std::log10(static_cast<double>(top))
                      + static_cast<double>(shift) * std::log10(2.0)))
         + 1;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  const std::vector<std::uint32_t> numbers{50000, 60000, 70000};
  troupe::pool pool;
  const auto digits = pool.map<digits_of_factorial>(numbers, 1);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    std::cout << "Factorial of " << numbers[i] << " computed: " << digits[i]
              << " digits." << std::endl;
}
