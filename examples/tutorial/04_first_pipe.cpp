// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/channel/pipe.hpp>
#include <troupe/process/program.hpp>

#include <iostream>

void square(troupe::connection<long> end) {
  try {
    for (;;) {
      const long number = end.receive();
      end.send(number * number);
    }
  } catch (const troupe::closed&) {
    std::cout << "nobody asks any more" << std::endl;
  }
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  auto [here, there] = troupe::pipe<long>();
  auto child = troupe::start<square>(there);
  there.close(); // the child has a handle of its own

  here.send(12);
  std::cout << "12 * 12 = " << here.receive() << std::endl;
  here.close();
}
//]
