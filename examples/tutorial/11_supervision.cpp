// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 11: supervision.

#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <csignal>
#include <future>
#include <iostream>

//[child
caf::behavior counter(caf::event_based_actor*, std::int32_t start) {
  auto number = std::make_shared<std::int32_t>(start);
  return {
    [number](caf::add_atom, std::int32_t more) { return *number += more; },
    [](caf::put_atom) { ::raise(SIGSEGV); },
  };
}
//]

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
  //[start
  std::promise<troupe::restart_report> said;
  troupe::supervisor shop{
    {.strategy = troupe::strategy::one_for_one,
     .intensity = 3,
     .period = std::chrono::seconds{10},
     .report
     = [&](const troupe::restart_report& what) { said.set_value(what); }},
    {troupe::child<counter>("till", 100),
     troupe::child<counter>("door", 0)
       .restarted(troupe::restart::transient)
       .shut_down(troupe::shutdown::within(std::chrono::seconds{1}))}};
  std::cout << "till: " << add(shop.child("till"), 5) << '\n';
  //]

  //[crash
  caf::scoped_actor self{troupe::actor_system()};
  self->send(shop.child("till"), caf::put_atom_v);
  const auto report = said.get_future().get();
  std::cout << report.child << " ended: " << report.reason << '\n';
  std::cout << "till again: " << add(shop.child("till"), 5) << '\n';
  //]

  //[children
  for (const auto& each : shop.which_children())
    std::cout << each.id << " restarted " << each.restarts << " times\n";
  shop.terminate_child("door");
  shop.delete_child("door");
  shop.start_child(troupe::child<counter>("window", 7));
  std::cout << "window: " << add(shop.child("window"), 1) << '\n';
  //]
}
