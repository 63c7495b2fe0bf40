// SPDX-License-Identifier: BSL-1.0
// Notebook, "Shared memory", in actors: an actor keeps the array and the sum;
// others send it squares, and ask.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/standard_containers.hpp>

#include <caf/all.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

using numbers = std::vector<std::int32_t>;

//[memory
/// Keeps an array, and the sum of it.
caf::behavior memory(caf::event_based_actor*, std::uint64_t size) {
  auto array = std::make_shared<numbers>(size);
  return {
    [array](caf::put_atom, std::uint64_t index, std::int32_t number) {
      array->at(index) = number;
    },
    [array](caf::get_atom) -> caf::result<numbers, std::int32_t> {
      return {*array, std::accumulate(array->begin(), array->end(), 0)};
    },
  };
}
//]

void print(const std::string& where, const numbers& result,
           std::int32_t square_sum) {
  std::cout << "Result(" << where << "): [";
  const char* separator = "";
  for (const auto number : result) {
    std::cout << separator << number;
    separator = ", ";
  }
  std::cout << "]\nSum of squares(" << where << "): " << square_sum
            << std::endl;
}

//[square_list
/// Squares a list that it is sent, and ends.
caf::behavior square_list(caf::event_based_actor* self,
                          const caf::actor& result) {
  return {[=](const numbers& list) {
    // squares of the list into the result array
    for (std::size_t index = 0; index < list.size(); ++index)
      self->send(result, caf::put_atom_v, std::uint64_t{index},
                 list[index] * list[index]);

    self->request(result, caf::infinite, caf::get_atom_v)
      .then([self](const numbers& array, std::int32_t square_sum) {
        print("in process p1", array, square_sum);
        self->quit();
      });
  }};
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  // input list
  const numbers list{1, 2, 3, 4};

  //[use
  // an actor of this process, with space for 4 integers
  const auto result = troupe::spawn<memory>(troupe::placement::here, 4);

  // an actor in a new process, which is sent the list
  const auto p1 = troupe::spawn<square_list>(result);
  self->send(p1, list);

  // wait until it has ended
  self->wait_for(p1);

  self->request(result, caf::infinite, caf::get_atom_v)
    .receive(
      [](const numbers& array, std::int32_t square_sum) {
        print("in main program", array, square_sum);
      },
      [](const caf::error& why) { std::cerr << to_string(why) << std::endl; });
  //]
}
