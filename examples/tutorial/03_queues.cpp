// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 3: queues.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <iostream>

using numbers = troupe::queue<long>;

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

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
