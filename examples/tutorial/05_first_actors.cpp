// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 5: your first actors in processes.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/standard_containers.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

//[messages
struct purchase {
  std::string what;
  std::int32_t cents = 0;
};

template <class Inspector>
bool inspect(Inspector& f, purchase& x) {
  return f.object(x).fields(f.field("what", x.what), f.field("cents", x.cents));
}

CAF_BEGIN_TYPE_ID_BLOCK(shop, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(shop, (purchase))
CAF_END_TYPE_ID_BLOCK(shop)
//]

caf::behavior till(caf::event_based_actor*, std::int32_t start) {
  auto cents = std::make_shared<std::int32_t>(start);
  return {
    [cents](caf::put_atom, const purchase& x) { *cents += x.cents; },
    [cents](caf::get_atom) { return *cents; },
    //[list
    [cents](caf::put_atom, const std::vector<std::int32_t>& many) {
      for (const auto each : many)
        *cents += each;
    },
    //]
    //[report
    [cents](caf::get_atom, const troupe::bundle& where) {
      where.get<troupe::queue<std::int32_t>>().put(*cents);
    },
    //]
  };
}

//[customer
caf::behavior customer(caf::event_based_actor* self, const caf::actor& till,
                       const std::string& what, std::int32_t cents) {
  return {[=](caf::put_atom) {
    return self->delegate(till, caf::put_atom_v, purchase{what, cents});
  }};
}
//]

std::int32_t ask(const caf::actor& whom) {
  caf::scoped_actor self{troupe::actor_system()};
  std::int32_t cents = 0;
  self->request(whom, std::chrono::seconds{10}, caf::get_atom_v)
    .receive([&](std::int32_t answer) { cents = answer; },
             [](caf::error& why) { std::cerr << to_string(why) << std::endl; });
  return cents;
}

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::shop>();
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};
  const caf::actor counter = troupe::spawn<till>(1000);
  //[send
  self->send(counter, caf::put_atom_v, purchase{"a pen", 250});
  std::cout << "in the till: " << ask(counter) << std::endl;
  //]
  //[send_list
  self->send(counter, caf::put_atom_v, std::vector<std::int32_t>{20, 30});
  std::cout << "with small change: " << ask(counter) << std::endl;
  //]
  //[pass
  troupe::host mall{"mall"};
  std::vector<caf::actor> customers;
  for (const std::string what : {"ink", "paper", "glue"})
    customers.push_back(mall.spawn<customer>(counter, what, 100));
  for (const auto& each : customers)
    self->request(each, caf::infinite, caf::put_atom_v)
      .receive([] {}, [](caf::error&) {});
  std::cout << "after three customers: " << ask(counter) << std::endl;
  //]
  //[names
  troupe::names::set("till", counter);
  if (const auto found = troupe::names::find("till"))
    std::cout << "found by name: " << ask(*found) << std::endl;

  const auto local = troupe::spawn<till>(troupe::placement::here, 5);
  std::cout << "the same actor in this process: " << ask(local) << std::endl;
  //]
  //[bundle
  troupe::queue<std::int32_t> reports;
  self->send(counter, caf::get_atom_v, troupe::bundle::of(reports));
  std::cout << "in the queue: " << reports.get() << std::endl;
  //]
  caf::anon_send_exit(counter, caf::exit_reason::user_shutdown);
}
