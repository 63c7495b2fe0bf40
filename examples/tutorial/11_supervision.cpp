// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 11: supervision.

#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <csignal>
#include <future>
#include <iostream>

caf::behavior counter(caf::event_based_actor*, std::int32_t number) {
  return {
    [number](caf::add_atom, std::int32_t more) mutable {
      return number += more;
    },
    [](caf::put_atom) { ::raise(SIGSEGV); },
  };
}

std::int32_t add(const caf::actor& to, std::int32_t more) {
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t sum = -1;
  self->request(to, std::chrono::seconds{30}, caf::add_atom_v, more)
    .receive([&](std::int32_t now) { sum = now; },
             [](caf::error& why) { std::cout << to_string(why) << '\n'; });
  return sum;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  std::promise<void> restarted;
  //[start
  troupe::supervisor shop{
    {.strategy = troupe::strategy::one_for_one,
     .intensity = 3,
     .period = std::chrono::seconds{10},
     .report = [&](const auto&) { restarted.set_value(); }},
    {troupe::child<counter>("till", 100),
     troupe::child<counter>("door", 0)
       .restarted(troupe::restart::transient)
       .shut_down(troupe::shutdown::within(std::chrono::seconds{1}))}};
  //]

  caf::anon_send(shop.child("till"), caf::put_atom_v);
  restarted.get_future().wait();
  //[children
  for (const auto& each : shop.which_children())
    std::cout << each.id << " restarted " << each.restarts << " times\n";
  shop.terminate_child("door");
  shop.delete_child("door");
  shop.start_child(troupe::child<counter>("window", 7));
  std::cout << "window: " << add(shop.child("window"), 1) << '\n';
  //]
}
