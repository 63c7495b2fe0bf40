// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 6: when a process dies.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>

#include <caf/all.hpp>

#include <atomic>
#include <iostream>

using troupe::transport::code_of;

//[worker
caf::behavior worker(caf::event_based_actor* self) {
  auto never = std::make_shared<std::vector<caf::response_promise>>();
  return {
    [](std::int32_t x) { return x * x; },
    [self, never](caf::wait_for_atom) {
      never->push_back(self->make_response_promise());
      return never->back();
    },
  };
}
//]

//[partner
caf::behavior partner(caf::event_based_actor* self, const caf::actor& other) {
  self->link_to(other);
  return {[](std::int32_t x) { return x; }};
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host garage{"garage"};
  const auto jane = garage.spawn<worker>();
  //[request
  auto asker = troupe::actor_system().spawn([&](caf::event_based_actor* me) {
    me->request(jane, caf::infinite, caf::wait_for_atom_v)
      .then([](std::int32_t) {},
            [me, done = caf::actor_cast<caf::actor>(self)](caf::error& why) {
              me->send(done, code_of(why) == troupe::errc::peer_died);
            });
  });
  self->request(jane, caf::infinite, std::int32_t{12})
    .receive([](
               std::int32_t x) { std::cout << "12 * 12 = " << x << std::endl; },
             [](caf::error&) {});
  garage.kill();
  self->receive([](bool died) {
    std::cout << "the open request "
              << (died ? "failed at once" : "goes on waiting") << std::endl;
  });
  //]
  //[link
  troupe::host shed{"shed"};
  const auto paul = shed.spawn<worker>();
  const auto friend_of_paul = troupe::spawn<partner>(troupe::placement::here,
                                                     paul);
  self->monitor(friend_of_paul);
  shed.kill();
  self->receive([](const caf::down_msg&) {
    std::cout << "a linked actor ends as well" << std::endl;
  });
  //]
  //[letters
  std::atomic<int> shown{0};
  troupe::on_dead_letter([&](const troupe::dead_letter&) { ++shown; });
  self->send(paul, std::int32_t{1});
  std::cout << "letters that came back: " << shown << std::endl;
  troupe::on_dead_letter({});
  //]
}
