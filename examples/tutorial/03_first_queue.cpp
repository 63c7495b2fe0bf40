// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <utility>

using numbers = troupe::queue<long>;
using answers = troupe::queue<std::pair<long, long>>;

void square(numbers tasks, answers results) {
  for (const long number : tasks)
    results.put({number, number * number});
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  numbers tasks{4};
  answers results;
  auto first = troupe::start<square>(tasks, results);
  auto second = troupe::start<square>(tasks, results);
  for (long number = 1; number <= 100; ++number)
    tasks.put(number);
  tasks.close();

  first.join();
  second.join();
  long sum = 0;
  while (const auto result = results.try_get())
    sum += result->second;
  std::cout << "the squares of 1 to 100 add up to " << sum << std::endl;
}
//]
