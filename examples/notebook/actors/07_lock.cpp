// SPDX-License-Identifier: BSL-1.0
// Notebook, "Synchronization", in actors: the concept of locks. An actor
// acquires a lock by a message to the lock's actor, and nothing blocks.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/sync/mutex_actor.hpp>

#include <caf/all.hpp>

#include <cstdint>
#include <iostream>
#include <memory>

/// Fewer than in 06_race: each is four messages, and waits for the other actor.
constexpr std::int32_t times = 1'000;

/// Keeps a balance.
caf::behavior account(caf::event_based_actor*, std::int32_t initial) {
  auto balance = std::make_shared<std::int32_t>(initial);
  return {
    [balance](caf::get_atom) { return *balance; },
    [balance](caf::put_atom, std::int32_t changed) { *balance = changed; },
  };
}

//[transact
/// Changes the balance so often, each time with the lock. It is released when
/// the account has answered: two actors hear of two messages in any order.
void transact(caf::event_based_actor* self, const caf::actor& balance,
              const troupe::mutex_actor& lock, std::int32_t amount,
              std::int32_t left) {
  if (left == 0)
    return;
  self->request(lock, caf::infinite, troupe::acquire_atom_v)
    .then([=](const troupe::grant&) {
      self->request(balance, caf::infinite, caf::get_atom_v)
        .then([=](std::int32_t before) {
          self
            ->request(balance, caf::infinite, caf::put_atom_v, before + amount)
            .then([=] {
              self->send(lock, troupe::release_atom_v);
              transact(self, balance, lock, amount, left - 1);
            });
        });
    });
}
//]

// withdraws from the account
void withdraw(caf::event_based_actor* self, const caf::actor& balance,
              const troupe::mutex_actor& lock) {
  transact(self, balance, lock, -1, times);
}

// deposits to the account
void deposit(caf::event_based_actor* self, const caf::actor& balance,
             const troupe::mutex_actor& lock) {
  transact(self, balance, lock, 1, times);
}

//[perform
void perform_transactions(troupe::host& p1, troupe::host& p2) {
  caf::scoped_actor self{troupe::actor_system()};

  // initial balance, kept by an actor of this process
  const auto balance = troupe::spawn<account>(troupe::placement::here, 100);

  // creating a lock object, and its actor
  const troupe::mutex lock;
  const auto lock_actor = actor_of(lock);

  // new actors in the two processes
  const auto first = p1.spawn<withdraw>(balance, lock_actor);
  const auto second = p2.spawn<deposit>(balance, lock_actor);

  // wait until they have ended
  self->wait_for(first, second);
  //<-

  self->request(balance, caf::infinite, caf::get_atom_v)
    .receive(
      [](std::int32_t left) {
        std::cout << "Final balance = " << left << std::endl;
      },
      [](const caf::error& why) { std::cerr << to_string(why) << std::endl; });
  //->
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // two processes, each of which carries many actors
  troupe::host p1{"p1"};
  troupe::host p2{"p2"};

  // perform the same transactions 10 times
  for (int i = 0; i < 10; ++i)
    perform_transactions(p1, p2);
}
