// SPDX-License-Identifier: BSL-1.0
// A ring of 16 processes: handles travel in messages, and each process reaches
// its neighbour directly, not through whoever told it the handle.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <iostream>
#include <vector>

/// Knows its neighbour and passes the token on, one larger.
caf::behavior station(caf::event_based_actor* self) {
  auto neighbour = std::make_shared<caf::actor>();
  return {
    [=](caf::link_atom, const caf::actor& next) {
      *neighbour = next;
      return caf::ok_atom_v;
    },
    [=](caf::put_atom, std::int32_t token, std::int32_t rounds,
        const caf::actor& home) {
      if (rounds == 0)
        self->send(home, token);
      else
        self->send(*neighbour, caf::put_atom_v, token + 1, rounds - 1, home);
    },
  };
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};
  std::vector<caf::actor> stations;
  for (int i = 0; i < 16; ++i)
    stations.push_back(troupe::spawn<station>());
  for (std::size_t i = 0; i < stations.size(); ++i)
    self
      ->request(stations[i], caf::infinite, caf::link_atom_v,
                stations[(i + 1) % stations.size()])
      .receive([](caf::ok_atom) {}, [](caf::error&) {});
  self->send(stations[0], caf::put_atom_v, 0, 16 * 100,
             caf::actor_cast<caf::actor>(self));
  self->receive([](std::int32_t token) {
    std::cout << "the token made " << token / 16
              << " rounds through 16 processes" << std::endl;
  });
  for (const auto& each : stations)
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
}
