// SPDX-License-Identifier: BSL-1.0

// The library's own actors do not end because of those who use them.

#include <troupe/pool/pool_actor.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/state.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/sync/barrier_actor.hpp>
#include <troupe/sync/condition_actor.hpp>
#include <troupe/sync/event_actor.hpp>
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/sync/semaphore_actor.hpp>
#include <troupe/sync/services.hpp>

#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using troupe::test::eventually;

namespace {

constexpr auto patience = 20s;

/// Ends the services host with the test, which must leave no process.
struct services_scope {
  services_scope() = default;
  services_scope(const services_scope&) = delete;
  services_scope& operator=(const services_scope&) = delete;
  ~services_scope() {
    troupe::sync::services::end();
  }
};

/// Links to a service and ends with an error, or sends it what would end an
/// actor.
caf::behavior guest(caf::event_based_actor* self, const caf::actor& service) {
  return {
    [=](caf::join_atom) {
      self->link_to(service);
      return true;
    },
    [=](caf::close_atom, const caf::error& why) { self->quit(why); },
    [=](caf::put_atom, const caf::error& why) {
      self->send_exit(service, why);
      for (const auto each :
           {caf::exit_reason::user_shutdown, caf::exit_reason::kill})
        caf::anon_send_exit(service, each);
      self->send(service, why);
      return true;
    },
  };
}

const caf::error reasons[] = {
  {},
  caf::exit_reason::user_shutdown,
  caf::sec::runtime_error,
  caf::exit_reason::kill,
};

bool told(caf::scoped_actor& self, const caf::actor& whom, auto... what) {
  bool result = false;
  self->request(whom, patience, what...)
    .receive([&](bool answer) { result = answer; }, [](const caf::error&) {});
  return result;
}

/// `answers()` asks the service behind `handle` and its like.
template <class Answers>
void check_outlives_guests(const caf::actor& service, Answers answers) {
  caf::scoped_actor self{troupe::actor_system()};
  for (const auto& why : reasons)
    for (const auto where :
         {troupe::placement::here, troupe::placement::own_process}) {
      CAPTURE(to_string(why));
      const auto one = troupe::spawn<guest>(where, service);
      CHECK(told(self, one, caf::join_atom_v));
      CHECK(told(self, one, caf::put_atom_v, why));
      CHECK(answers());
      self->send(one, caf::close_atom_v, why);
      self->wait_for(one);
      CHECK(answers());
    }
}

template <class Answer, class Handle, class Message>
bool answers(const Handle& whom, const Message& message) {
  caf::scoped_actor self{troupe::actor_system()};
  bool result = false;
  self->request(whom, patience, message)
    .receive([&](const Answer&) { result = true; },
             [](const caf::error& why) { MESSAGE(to_string(why)); });
  return result;
}

template <class Answer, class Service, class Message>
void check(const Service& of, Message message) {
  const auto first = troupe::actor_of(of);
  check_outlives_guests(caf::actor_cast<caf::actor>(first), [&] {
    return answers<Answer>(first, message)
           && answers<Answer>(troupe::actor_of(of), message);
  });
}

std::int32_t twice(std::int32_t x) {
  return 2 * x;
}

} // namespace

TEST_CASE("the actors of sync objects outlive those who link to them") {
  const services_scope scope;
  SUBCASE("a mutex") {
    check<std::string>(troupe::mutex{}, troupe::query_atom_v);
  }
  SUBCASE("a recursive mutex") {
    check<std::string>(troupe::recursive_mutex{}, troupe::query_atom_v);
  }
  SUBCASE("a semaphore") {
    check<std::int64_t>(troupe::semaphore{1}, troupe::query_atom_v);
  }
  SUBCASE("an event") {
    check<bool>(troupe::event{}, troupe::query_atom_v);
  }
  SUBCASE("a barrier") {
    check<std::uint32_t>(troupe::barrier{2}, troupe::query_atom_v);
  }
  SUBCASE("a condition") {
    check<std::uint32_t>(troupe::condition{}, troupe::notify_atom_v);
  }
}

TEST_CASE("the actor of a state outlives those who link to it") {
  check<std::uint64_t>(troupe::state{}, troupe::query_atom_v);
}

TEST_CASE("the actor of a pool outlives those who link to it") {
  const troupe::pool workers{1};
  check<std::uint32_t>(workers, troupe::size_atom_v);
  caf::scoped_actor self{troupe::actor_system()};
  self
    ->request(troupe::actor_of(workers), patience,
              troupe::pooling::task_of<twice>(21))
    .receive(
      [](const troupe::pooling::answer& done) {
        CHECK(troupe::pooling::result_in<twice>(done) == 42);
      },
      [](const caf::error& why) { FAIL(to_string(why)); });
}

TEST_CASE("who links to a service ends with it") {
  caf::scoped_actor self{troupe::actor_system()};
  caf::actor one;
  {
    troupe::pool workers{1};
    one = troupe::spawn<guest>(
      caf::actor_cast<caf::actor>(troupe::actor_of(workers)));
    CHECK(told(self, one, caf::join_atom_v));
  }
  self->wait_for(one);
}
