// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

//[worker
using numbers = troupe::queue<long>;
using answers = troupe::queue<std::pair<long, long>>;

void square(numbers tasks, answers results) {
  for (const long number : tasks)
    results.put({number, number * number});
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[queues
  numbers tasks{4};
  answers results;
  //]

  //[start
  auto first = troupe::start<square>(tasks, results);
  auto second = troupe::start<square>(tasks, results);
  //]

  //[feed
  for (long number = 1; number <= 100; ++number)
    tasks.put(number);
  tasks.close();
  //]

  //[collect
  first.join();
  second.join();
  long sum = 0;
  while (const auto result = results.try_get())
    sum += result->second;
  std::cout << "the squares of 1 to 100 add up to " << sum << std::endl;
  //]

  //[dead_writer
  numbers letters;
  auto writer = troupe::start(
    [](numbers into) {
      into.put(7);
      troupe::current_process().kill();
    },
    letters);
  std::cout << "the writer was " << writer.join().description() << std::endl;
  std::cout << "and yet: " << letters.get() << std::endl;
  //]

  //[bounded
  numbers small{1};
  small.put(1);
  if (small.try_put(2) == troupe::put_result::full)
    std::cout << "full: a put would wait now" << std::endl;
  //]
}
