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
