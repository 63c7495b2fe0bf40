// SPDX-License-Identifier: BSL-1.0
#include <troupe/actors.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;

caf::behavior doubler(caf::event_based_actor*) {
  return {[](std::int32_t number) { return 2 * number; }};
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const caf::actor far = troupe::spawn<doubler>();
  const troupe::mutex lock;
  const auto guard = troupe::actor_of(lock);
  caf::scoped_actor self{troupe::actor_system()};
  int result = 0;
  self->request(far, 60s, std::int32_t{21})
    .receive([&](std::int32_t answer) { result = answer; },
             [](const caf::error&) {});
  return result == 42 && guard ? 0 : 1;
}
