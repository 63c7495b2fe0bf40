// SPDX-License-Identifier: BSL-1.0
#include "players.hpp"

using namespace conformance;

TEST_CASE("await_actors waits for actors that this process has made anywhere") {
  troupe::host house{"house"};
  CHECK(troupe::await_actors_for(patience));
  std::vector<caf::actor> made{troupe::spawn<player>(),
                               troupe::spawn<player>(house),
                               troupe::spawn<player>(troupe::placement::here)};
  for (const auto& each : made) {
    CHECK(!troupe::await_actors_for(1ms));
    CHECK(!troupe::await_actors_until(std::chrono::steady_clock::now()));
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  }
  troupe::await_actors();
  CHECK(troupe::await_actors_for(0s));
}

TEST_CASE("await_actors does not wait for actors of a killed process") {
  troupe::host house{"house"};
  const auto inside = troupe::spawn<player>(house);
  CHECK(!troupe::await_actors_for(1ms));
  CHECK(house.kill());
  CHECK(troupe::await_actors_for(patience));
}

namespace {

/// Makes an actor in its own process, gives it away, and is done.
caf::behavior maker(caf::event_based_actor* self) {
  return {[self](caf::spawn_atom) -> caf::result<caf::actor> {
    self->quit();
    return troupe::spawn<player>(troupe::placement::here);
  }};
}

} // namespace

TEST_CASE("await_actors waits for what an actor that has ended has made in its "
          "own process") {
  caf::actor made;
  {
    caf::scoped_actor self{troupe::actor_system()};
    const auto parent = troupe::spawn<maker>();
    made = ask<caf::actor>(self, parent, caf::spawn_atom_v);
    CHECK(!await_down(self, parent));
  }
  CHECK(!troupe::await_actors_for(1ms));
  caf::anon_send_exit(made, caf::exit_reason::user_shutdown);
  CHECK(troupe::await_actors_for(patience));
}
