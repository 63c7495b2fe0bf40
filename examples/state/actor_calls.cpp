// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/state_actor.hpp>

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace held = troupe::held;
using namespace std::chrono_literals;

using names = held::queue<std::string>;
using queue_object = held::waiting_queue<std::string>;

//[greeter
/// Takes one name after the other, and never blocks.
void greet_next(caf::event_based_actor* self, troupe::state_actor state,
                names from, names to) {
  held::request<&queue_object::get>(self, state, 10s, from)
    .then(
      [=](const std::string& name) {
        held::request<&queue_object::put>(self, state, 10s, to,
                                          "Hello, " + name)
          .then([=] { greet_next(self, state, from, to); });
      },
      [=](const caf::error&) { self->quit(); });
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  troupe::state state;
  auto asked = state.make<names>();
  auto greeted = state.make<names>();

  //[start
  auto actor = troupe::actor_of(state);
  troupe::actor_system().spawn([=](caf::event_based_actor* self) {
    greet_next(self, actor, asked, greeted);
  });
  //]

  //[use
  asked.put("Sam");
  asked.put("Ann");
  std::cout << greeted.get() << std::endl;
  std::cout << greeted.get() << std::endl;
  asked.close();
  //]
  troupe::await_actors();
}
