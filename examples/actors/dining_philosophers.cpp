// SPDX-License-Identifier: BSL-1.0
// Five philosophers in one host, five chopsticks in another: a resource is an
// actor, "not now" is an answer, and nobody waits while holding something, so
// nobody can deadlock.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <iostream>
#include <vector>

using namespace std::chrono_literals;

/// Answers true to whoever takes it first, and false until it is put back.
caf::behavior chopstick(caf::event_based_actor*) {
  auto taken = std::make_shared<bool>(false);
  return {
    [taken](caf::get_atom) { return !std::exchange(*taken, true); },
    [taken](caf::put_atom) { *taken = false; },
  };
}

/// Eats `meals` times: takes the left, then the right; puts the left back if
/// the right is taken, and tries again a little later.
caf::behavior philosopher(caf::event_based_actor* self, const caf::actor& left,
                          const caf::actor& right, std::int32_t meals,
                          const caf::actor& host) {
  auto eaten = std::make_shared<std::int32_t>(0);
  const auto later = [self](std::chrono::microseconds when) {
    self->delayed_send(self, when, caf::tick_atom_v);
  };
  self->send(self, caf::tick_atom_v);
  return {
    [=](caf::tick_atom) {
      self->request(left, caf::infinite, caf::get_atom_v).then([=](bool got) {
        if (!got)
          return later(300us);
        self->request(right, caf::infinite, caf::get_atom_v)
          .then([=](bool both) {
            if (both) {
              ++*eaten;
              self->send(right, caf::put_atom_v);
            }
            self->send(left, caf::put_atom_v);
            if (*eaten < meals)
              return later(both ? 100us : 300us);
            self->send(host, *eaten);
            self->quit();
          });
      });
    },
  };
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host table{"table"};
  troupe::host academy{"academy"};
  std::vector<caf::actor> chopsticks;
  for (int i = 0; i < 5; ++i)
    chopsticks.push_back(table.spawn<chopstick>());
  for (std::size_t i = 0; i < 5; ++i)
    static_cast<void>(
      academy.spawn<philosopher>(chopsticks[i], chopsticks[(i + 1) % 5], 20,
                                 caf::actor_cast<caf::actor>(self)));
  std::int32_t meals = 0;
  for (int i = 0; i < 5; ++i)
    self->receive([&](std::int32_t eaten) { meals += eaten; });
  std::cout << "five philosophers ate " << meals << " meals" << std::endl;
}
