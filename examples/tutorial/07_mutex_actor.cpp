// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 7: a race, and the mutex actor.

#include <troupe/process/program.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/locked.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/mutex_actor.hpp>

#include <caf/event_based_actor.hpp>

#include <iostream>
#include <mutex>

//[locked
void deposit_locked(troupe::locked<troupe::value<long>> balance, int times) {
  for (int i = 0; i < times; ++i)
    balance.with([](troupe::value<long>& each) { each = each + 1; });
}
//]

//[holder
void die_with(troupe::mutex lock, troupe::event locked) {
  lock.lock();
  locked.set();
  troupe::event{}.wait();
}
//]

//[actor
caf::behavior depositor(caf::event_based_actor* self,
                        troupe::value<long> balance, troupe::mutex lock,
                        troupe::event done) {
  const auto door = actor_of(lock);
  self->request(door, caf::infinite, troupe::acquire_atom_v)
    .then([=](const troupe::grant&) {
      balance.set(balance.get() + 1);
      self->send(door, troupe::release_atom_v);
      done.set();
    });
  return {[](int) {}};
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[get_lock
  troupe::locked savings{troupe::value<long>{0}};
  {
    auto one = troupe::start<deposit_locked>(savings, 1000);
    const std::scoped_lock guard{savings.get_lock()};
    savings.get_obj() = savings.get_obj() + 1;
  }
  std::cout << "savings: " << savings.get_obj() << std::endl;
  //]

  //[death
  troupe::mutex lock;
  troupe::event locked;
  auto victim = troupe::start<die_with>(lock, locked);
  locked.wait();
  std::cout << "locked by " << lock.holder()->process_name << std::endl;
  victim.kill();
  const auto granted = lock.acquire();
  std::cout << "the owner " << (granted.owner_died ? "died" : "unlocked")
            << std::endl;
  lock.unlock();
  //]

  //[request
  troupe::value<long> balance{100};
  troupe::host bank{"bank"};
  troupe::event done;
  const auto clerk = bank.spawn<depositor>(balance, lock, done);
  done.wait();
  std::cout << "balance: " << balance << std::endl;
  //]
}
