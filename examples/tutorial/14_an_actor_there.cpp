// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 14: an actor on a second machine.
//[all_of_it
#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

caf::behavior oven(caf::event_based_actor* self, const caf::actor& waiter) {
  return {[=](int minutes) {
    self->send(waiter, "the table is laid for", minutes + 5);
    return "done in " + std::to_string(minutes) + " minutes";
  }};
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const auto kitchen = troupe::machines::wait_for("kitchen", 30s);

  caf::scoped_actor self{troupe::actor_system()};
  const caf::actor bread = kitchen.spawn<oven>(caf::actor{self});

  self->request(bread, 10s, 40)
    .receive(
      [](const std::string& answer) { std::cout << answer << std::endl; },
      [](const caf::error& why) { std::cout << to_string(why) << std::endl; });
  self->receive([](const std::string& what, int minutes) {
    std::cout << what << ' ' << minutes << std::endl;
  });
}
//]
