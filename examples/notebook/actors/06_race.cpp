// SPDX-License-Identifier: BSL-1.0
// Notebook, "Synchronization", in actors: the concept of a race condition. An
// actor handles one message after the other, but to read and then to write is
// two messages, and those of others come between.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/sync/barrier_actor.hpp>

#include <caf/all.hpp>

#include <cstdint>
#include <iostream>
#include <memory>

/// As often as in Python.
constexpr std::int32_t times = 10'000;

//[account
/// Keeps a balance.
caf::behavior account(caf::event_based_actor*, std::int32_t initial) {
  auto balance = std::make_shared<std::int32_t>(initial);
  return {
    [balance](caf::get_atom) { return *balance; },
    [balance](caf::put_atom, std::int32_t changed) { *balance = changed; },
  };
}
//]

//[transact
/// Changes the balance so often. Reading it is one message and writing it
/// another; what the other actor writes in between is lost.
void transact(caf::event_based_actor* self, const caf::actor& balance,
              std::int32_t amount, std::int32_t left) {
  if (left == 0)
    return;
  self->request(balance, caf::infinite, caf::get_atom_v)
    .then([=](std::int32_t before) {
      self->send(balance, caf::put_atom_v, before + amount);
      transact(self, balance, amount, left - 1);
    });
}
//]

//[withdraw
/// Withdraws from the account, as soon as the other actor is there too.
void withdraw(caf::event_based_actor* self, const caf::actor& balance,
              const troupe::barrier_actor& both) {
  self->request(both, caf::infinite, troupe::arrive_atom_v)
    .then([=](std::uint32_t) { transact(self, balance, -1, times); });
}
//]

/// Deposits to the account.
void deposit(caf::event_based_actor* self, const caf::actor& balance,
             const troupe::barrier_actor& both) {
  self->request(both, caf::infinite, troupe::arrive_atom_v)
    .then([=](std::uint32_t) { transact(self, balance, 1, times); });
}

//[perform
void perform_transactions(troupe::host& p1, troupe::host& p2) {
  caf::scoped_actor self{troupe::actor_system()};

  // initial balance, kept by an actor of this process
  const auto balance = troupe::spawn<account>(troupe::placement::here, 100);

  // new actors in the two processes, which begin at the same time
  const troupe::barrier both{2};
  const auto first = p1.spawn<withdraw>(balance, actor_of(both));
  const auto second = p2.spawn<deposit>(balance, actor_of(both));

  // wait until they have ended
  self->wait_for(first, second);

  self->request(balance, caf::infinite, caf::get_atom_v)
    .receive(
      [](std::int32_t left) {
        std::cout << "Final balance = " << left << std::endl;
      },
      [](const caf::error& why) { std::cerr << to_string(why) << std::endl; });
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[hosts
  // two processes, each of which carries many actors
  troupe::host p1{"p1"};
  troupe::host p2{"p2"};

  // perform the same transactions 10 times
  for (int i = 0; i < 10; ++i)
    perform_transactions(p1, p2);
  //]
}
