// SPDX-License-Identifier: BSL-1.0
// Notebook, "Queue": one process puts squares into a queue, another prints
// them.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <vector>

//[functions
/// Squares a given list.
void square_list(const std::vector<int>& list, troupe::queue<int> q) {
  // squares of the list into the queue
  for (const int number : list)
    q.put(number * number);
}

/// Prints the queue's elements.
void print_queue(troupe::queue<int> q) {
  std::cout << "Queue elements:" << std::endl;
  while (!q.empty())
    std::cout << q.get() << std::endl;
  std::cout << "Queue is now empty!" << std::endl;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // input list
  const std::vector<int> list{1, 2, 3, 4};

  //[use
  // a queue that processes share
  troupe::queue<int> q;

  // a process that squares the list
  troupe::process p1 = program.start<square_list>(list, q);
  p1.join();

  // a process that prints the elements
  troupe::process p2 = program.start<print_queue>(q);
  p2.join();
  //]
}
