// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>

#include <iostream>
#include <vector>

void square_all(const std::vector<int>& numbers, troupe::array<int> result,
                troupe::value<int> total) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    result[i] = numbers[i] * numbers[i];
    total += result[i];
  }
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::array<int> result(4);
  troupe::value<int> total;
  troupe::start<square_all>(std::vector{1, 2, 3, 4}, result, total).join();
  for (const int square : result)
    std::cout << square << ' ';
  std::cout << "and their sum " << total << std::endl;
}
//]
