// SPDX-License-Identifier: BSL-1.0
// Notebook, "Shared memory": squares into a shared array, their sum into a
// shared value.

#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>

#include <iostream>
#include <numeric>
#include <vector>

void print(const char* what, const troupe::array<int>& numbers) {
  std::cout << what << ": [";
  const char* separator = "";
  for (const int number : numbers) {
    std::cout << separator << number;
    separator = ", ";
  }
  std::cout << "]" << std::endl;
}

//[square_list
/// Squares a given list.
void square_list(const std::vector<int>& list, troupe::array<int> result,
                 troupe::value<int> square_sum) {
  // squares of the list into the result array
  for (std::size_t index = 0; index < list.size(); ++index)
    result[index] = list[index] * list[index];

  // the square_sum value
  square_sum = std::accumulate(result.begin(), result.end(), 0);
  //<-

  print("Result(in process p1)", result);
  std::cout << "Sum of squares(in process p1): " << square_sum << std::endl;
  //->
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // input list
  const std::vector<int> list{1, 2, 3, 4};

  //[use
  // an array of int with space for 4 integers
  troupe::array<int> result(4);

  // a value of int
  troupe::value<int> square_sum;

  // a new process, started
  troupe::process p1 = program.start<square_list>(list, result, square_sum);

  // wait until the process is finished
  p1.join();
  //]

  print("Result(in main program)", result);
  std::cout << "Sum of squares(in main program): " << square_sum << std::endl;
}
