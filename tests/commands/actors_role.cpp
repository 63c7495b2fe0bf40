// SPDX-License-Identifier: BSL-1.0
// Three hosts of actors: one is in a handler for an hour, one waits in a
// handler for a lock, one has nothing to do.
#include <troupe/process/program.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>

#include <support/sleeping.hpp>

#include <caf/all.hpp>

#include <iostream>
#include <mutex>

class sleeping_cook : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

  caf::behavior make_behavior() override {
    return {[](int) { troupe::test::sleep_for_ever(); }};
  }
};

class waiting_cook : public caf::event_based_actor {
public:
  waiting_cook(caf::actor_config& config, troupe::mutex stove)
    : caf::event_based_actor(config), stove_(std::move(stove)) {
  }

  caf::behavior make_behavior() override {
    return {[this](int) { const std::scoped_lock guard{stove_}; }};
  }

private:
  troupe::mutex stove_;
};

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const troupe::mutex stove;
  const std::scoped_lock guard{stove};
  troupe::host sleeper{"sleeper"};
  troupe::host waiter{"waiter"};
  troupe::host idle{"idle"};
  const auto first = sleeper.spawn<sleeping_cook>();
  const auto second = waiter.spawn<waiting_cook>(stove);
  const auto third = idle.spawn<sleeping_cook>();
  caf::anon_send(first, 1);
  caf::anon_send(second, 1);
  std::cout << "begins" << std::endl;
  troupe::test::sleep_for_ever();
}
