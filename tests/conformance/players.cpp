// SPDX-License-Identifier: BSL-1.0
#include "players.hpp"

#include <memory>
#include <stdexcept>

#include <unistd.h>

namespace conformance {

const bool messages_are_known = [] {
  troupe::use_messages<caf::id_block::conformance>();
  return true;
}();

namespace {

/// What a player does to links and monitors.
caf::message_handler ties(caf::event_based_actor* self) {
  return {
    [self](bind_atom, const caf::actor& other) {
      self->link_to(other);
      return true;
    },
    [self](unbind_atom, const caf::actor& other) {
      self->unlink_from(other);
      return true;
    },
    // Tells `listener` when `other` ends, and why.
    [self](watch_atom, const caf::actor& other, const caf::actor& listener) {
      self->set_down_handler([self, listener](const caf::down_msg& down) {
        self->send(listener, count_atom_v, to_string(down.reason));
      });
      self->monitor(other);
      return true;
    },
    [self](unwatch_atom, const caf::actor& other) {
      self->demonitor(caf::actor_cast<caf::strong_actor_ptr>(other));
      return true;
    },
  };
}

} // namespace

caf::behavior player(caf::event_based_actor* self) {
  auto kept = std::make_shared<caf::actor>();
  auto unanswered = std::make_shared<std::vector<caf::response_promise>>();
  return caf::message_handler{
    [](echo_atom, std::int32_t x) { return x; },
    [](echo_atom, std::string& x) { return std::move(x); },
    [](echo_atom, account& x) { return std::move(x); },
    [](echo_atom, const reading& x) { return x; },
    [](echo_atom, const percentage& x) { return x; },
    [](echo_atom, std::map<std::string, account>& x) { return std::move(x); },
    [](echo_atom, const caf::actor& x) { return x; },
    [](echo_atom, const adder_actor& x) { return x; },
    [](pid_atom) { return static_cast<std::int32_t>(::getpid()); },
    [](fail_atom) -> caf::result<std::int32_t> { return trouble::not_today; },
    [](fail_atom, const std::string& why) -> caf::result<std::int32_t> {
      return caf::make_error(trouble::not_today, why);
    },
    // A promise that is kept later.
    [self](later_atom, std::int32_t x) {
      auto promise = self->make_response_promise<std::int32_t>();
      self->run_delayed(20ms, [promise, x]() mutable { promise.deliver(x); });
      return promise;
    },
    // A promise that is never kept.
    [self, unanswered](watch_atom) {
      unanswered->push_back(self->make_response_promise());
      return unanswered->back();
    },
    // How many of those there are.
    [unanswered](count_atom, watch_atom) {
      return static_cast<std::int32_t>(unanswered->size());
    },
    // Passes a request on.
    [self](to_atom, const caf::actor& next, std::int32_t x) {
      return self->delegate(next, echo_atom_v, x);
    },
    [self](to_atom, const caf::actor& next, watch_atom) {
      return self->delegate(next, watch_atom_v);
    },
    // Passes a handle on; keeps one that was passed on; asks through that.
    [self](to_atom, const caf::actor& next, const caf::actor& whom) {
      return self->delegate(next, make_atom_v, whom);
    },
    [kept](make_atom, const caf::actor& whom) {
      *kept = whom;
      return true;
    },
    [self, kept](to_atom, pid_atom) {
      return self->delegate(*kept, pid_atom_v);
    },
    // Asks somebody else and answers with the answer.
    [self](to_atom, const adder_actor& next, std::int32_t x) {
      auto promise = self->make_response_promise<std::int32_t>();
      self->request(next, patience, caf::add_atom_v, x)
        .then([promise](
                std::int32_t answer) mutable { promise.deliver(answer); },
              [promise](caf::error& reason) mutable {
                promise.deliver(std::move(reason));
              });
      return promise;
    },
    [self](quit_atom) { self->quit(); },
    [self](quit_atom, const caf::error& why) { self->quit(why); },
    [](throw_atom) { throw std::runtime_error("as asked"); },
    // Makes an actor in a process of its own, from inside an actor.
    [](make_atom, std::int32_t start) {
      return troupe::spawn<recorder>(start);
    },
  }
    .or_else(ties(self));
}

caf::behavior recorder(caf::event_based_actor*, std::int32_t start) {
  auto seen = std::make_shared<std::vector<std::int32_t>>(1, start);
  return {
    [seen](std::int32_t x) { seen->push_back(x); },
    [seen](const std::string& x) {
      seen->push_back(static_cast<std::int32_t>(x.size()));
    },
    [seen](caf::get_atom) { return *seen; },
    [seen](count_atom) { return static_cast<std::int32_t>(seen->size()); },
    [](pid_atom) { return static_cast<std::int32_t>(::getpid()); },
  };
}

adder_actor::behavior_type adder(std::int32_t start) {
  auto sum = std::make_shared<std::int32_t>(start);
  return {
    [sum](caf::add_atom, std::int32_t x) { return *sum += x; },
    [sum](caf::get_atom) { return *sum; },
  };
}

caf::behavior tally(caf::stateful_actor<std::int32_t>* self,
                    std::int32_t start) {
  self->state = start;
  return {
    [self](caf::add_atom, std::int32_t x) { return self->state += x; },
  };
}

class_adder::class_adder(caf::actor_config& config, std::int32_t start)
  : adder_actor::base(config), sum_(start) {
}

adder_actor::behavior_type class_adder::make_behavior() {
  return {
    [this](caf::add_atom, std::int32_t x) { return sum_ += x; },
    [this](caf::get_atom) { return sum_; },
  };
}

counter_actor::counter_actor(caf::actor_config& config, std::string name,
                             std::int32_t start)
  : caf::event_based_actor(config), name_(std::move(name)), count_(start) {
}

caf::behavior counter_actor::make_behavior() {
  return {
    [this](count_atom) { return ++count_; },
    [this](caf::get_atom) { return name_; },
  };
}

broken_actor::broken_actor(caf::actor_config& config, const std::string& why)
  : caf::event_based_actor(config) {
  throw std::runtime_error(why);
}

void blocking_echo(caf::blocking_actor* self) {
  bool running = true;
  self->receive_while(running)([](echo_atom, std::int32_t x) { return x; },
                               [&](quit_atom) { running = false; });
}

caf::error await_down(caf::scoped_actor& self, const caf::actor& actor) {
  caf::error reason;
  self->monitor(actor);
  bool ended = false;
  self->receive(
    [&](const caf::down_msg& down) {
      reason = down.reason;
      ended = true;
    },
    caf::after(patience) >> [] {});
  CHECK_MESSAGE(ended, "no down message came");
  return reason;
}

} // namespace conformance
