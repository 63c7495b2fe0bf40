// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <iostream>
#include <memory>

caf::behavior till(caf::event_based_actor*, std::int32_t start) {
  auto cents = std::make_shared<std::int32_t>(start);
  return {
    [cents](caf::put_atom, std::int32_t paid) { *cents += paid; },
    [cents](caf::get_atom) { return *cents; },
  };
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const caf::actor counter = troupe::spawn<till>(1000);

  caf::scoped_actor self{troupe::actor_system()};
  self->send(counter, caf::put_atom_v, std::int32_t{250});
  self->request(counter, std::chrono::seconds{10}, caf::get_atom_v)
    .receive(
      [](std::int32_t cents) {
        std::cout << "in the till: " << cents << std::endl;
      },
      [](caf::error& why) { std::cerr << to_string(why) << std::endl; });
}
//]
