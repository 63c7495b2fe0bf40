// SPDX-License-Identifier: BSL-1.0
// Notebook, "Queue", in actors: each actor has a mailbox, which is a queue. One
// actor sends squares, another takes them out of its mailbox and prints them.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/standard_containers.hpp>

#include <caf/all.hpp>

#include <cstdint>
#include <iostream>
#include <vector>

//[actors
/// Squares a list that it is sent, and ends.
caf::behavior square_list(caf::event_based_actor* self, const caf::actor& q) {
  return {[=](const std::vector<std::int32_t>& list) {
    // squares of the list into the mailbox of the other
    for (const auto number : list)
      self->send(q, number * number);
    self->send(q, caf::close_atom_v);
    self->quit();
  }};
}

/// Prints the elements of its mailbox, and ends when that is closed.
caf::behavior print_queue(caf::event_based_actor* self) {
  std::cout << "Queue elements:" << std::endl;
  return {
    [](std::int32_t number) { std::cout << number << std::endl; },
    [self](caf::close_atom) {
      std::cout << "Queue is now empty!" << std::endl;
      self->quit();
    },
  };
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  // input list
  const std::vector<std::int32_t> list{1, 2, 3, 4};

  //[use
  // an actor that prints the elements; its mailbox is the queue
  const auto p2 = troupe::spawn<print_queue>();

  // an actor that squares the list
  const auto p1 = troupe::spawn<square_list>(p2);
  self->send(p1, list);

  self->wait_for(p1, p2);
  //]
}
