// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/pool/supervisor.hpp>
#include <troupe/process/program.hpp>

#include <caf/all.hpp>

#include <cstdlib>
#include <future>
#include <iostream>

caf::behavior counter(caf::event_based_actor*, std::int32_t number) {
  return {
    [number](caf::add_atom, std::int32_t more) mutable {
      return number += more;
    },
    [](caf::put_atom) { std::abort(); },
  };
}

void add(const caf::actor& to, std::int32_t more) {
  caf::scoped_actor self{troupe::actor_system()};
  self->request(to, caf::infinite, caf::add_atom_v, more)
    .receive([](std::int32_t sum) { std::cout << "till: " << sum << '\n'; },
             [](caf::error& why) { std::cout << to_string(why) << '\n'; });
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  std::promise<troupe::restart_report> said;
  troupe::supervisor shop{
    {.report = [&](const auto& report) { said.set_value(report); }},
    {troupe::child<counter>("till", 100)}};
  add(shop.child("till"), 5);
  caf::anon_send(shop.child("till"), caf::put_atom_v);
  std::cout << said.get_future().get().reason << '\n';
  add(shop.child("till"), 5);
}
//]
