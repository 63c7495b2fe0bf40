// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/all.hpp>

#include <iostream>

caf::behavior worker(caf::event_based_actor*) {
  return {[](std::int32_t x) { return x * x; }};
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::host workshop{"workshop"};
  const caf::actor tom = workshop.spawn<worker>();

  caf::scoped_actor self{troupe::actor_system()};
  self->monitor(tom);
  workshop.kill();
  self->receive([](const caf::down_msg& down) {
    std::cout << troupe::transport::text_of(down.reason) << std::endl;
  });
}
//]
