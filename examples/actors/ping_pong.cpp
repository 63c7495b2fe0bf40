// SPDX-License-Identifier: BSL-1.0
// Two actors in two processes: spawn one there, ask it from here.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <iostream>

#include <unistd.h>

caf::behavior pong(caf::event_based_actor*) {
  return {
    [](caf::ping_atom, std::int32_t ball) { return ball + 1; },
    [](caf::get_atom) { return static_cast<std::int32_t>(::getpid()); },
  };
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const caf::actor partner = troupe::spawn<pong>();
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t ball = 0;
  while (ball < 10)
    self->request(partner, caf::infinite, caf::ping_atom_v, ball)
      .receive([&](std::int32_t back) { ball = back; },
               [&](caf::error& reason) {
                 std::cout << to_string(reason) << std::endl;
                 ball = 10;
               });
  std::cout << "after ten rounds the ball says " << ball << std::endl;
  self->request(partner, caf::infinite, caf::get_atom_v)
    .receive(
      [](std::int32_t pid) {
        std::cout << "pong lives in "
                  << (pid == ::getpid() ? "this" : "another") << " process"
                  << std::endl;
      },
      [](caf::error&) {});
  caf::anon_send_exit(partner, caf::exit_reason::user_shutdown);
}
