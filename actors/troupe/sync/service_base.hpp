// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/sync/actor_location.hpp>
#include <troupe/sync/clients.hpp>
#include <troupe/sync/services.hpp>
#include <troupe/sync/wait_queue.hpp>
#include <troupe/sync/wait_thread.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace troupe::sync {

/// A request of `whose` that waits at a place of a queue, until `limit`.
template <class Answer>
struct queued_request {
  client whose;
  caf::typed_response_promise<Answer> answer;
  waiter* at;
  std::uint64_t ticket;
  deadline limit;
  std::uint64_t key = 0;
};

/// What the actors of this layer have in common: their process, their clients,
/// and requests that wait.
///
/// `Request` has a `client whose` and says with `std::uint64_t key` how the
/// wait thread names it.
template <class Actor, class Request>
class service_base {
public:
  using pointer = typename Actor::pointer;
  using position = typename std::list<Request>::iterator;

  service_base() = default;
  service_base(const service_base&) = delete;
  service_base& operator=(const service_base&) = delete;

  ~service_base() {
    for (const auto& each : requests_)
      wait_thread::of_this_process().forget(each.key);
  }

protected:
  /// `where` is a part of `object`. However the actor ends, `actor_of` makes
  /// another one.
  template <class Object>
  void open(pointer self, const Object& object, actor_location& where,
            std::function<void(const client&)> on_client_death) {
    self_ = self;
    row_ = memory::run_memory::current().self().index;
    clients_.start(std::move(on_client_death));
    services::enter(where, caf::actor_cast<caf::strong_actor_ptr>(self_));
    self_->attach_functor(
      [object, &where, id = self_->id()] { services::leave(where, id); });
  }

  /// Who has sent the message at hand, from now on watched; nothing for a
  /// sender that cannot own anything here.
  [[nodiscard]] std::optional<client> sender() {
    const auto from
      = caf::actor_cast<caf::strong_actor_ptr>(self_->current_sender());
    auto result = client::of(from);
    if (result)
      clients_.watch(self_, from, *result);
    return result;
  }

  [[nodiscard]] caf::error refuse(errc why, std::string text) const {
    return transport::make_error(why, std::move(text));
  }

  [[nodiscard]] caf::error refuse_sender(const std::string& what) const {
    return refuse(errc::invalid_argument,
                  what + ": the sender is no actor of this run");
  }

  position add(Request request) {
    request.key = wait_thread::of_this_process().next_key();
    requests_.push_back(std::move(request));
    return std::prev(requests_.end());
  }

  /// Has `(woken_atom, key)` sent when `ready()` or when the limit has passed.
  void wait_for(position of, std::function<bool()> ready, deadline limit) {
    wait_thread::of_this_process().watch(
      of->key, caf::actor_cast<caf::actor>(self_->address()), std::move(ready),
      limit);
  }

  /// Ends a request and returns it.
  Request take(position of) {
    wait_thread::of_this_process().forget(of->key);
    auto result = std::move(*of);
    requests_.erase(of);
    return result;
  }

  /// Calls `step` for the request that the wait thread names.
  template <class Step>
  void with(std::uint64_t key, Step step) {
    for (auto at = requests_.begin(); at != requests_.end(); ++at)
      if (at->key == key)
        return step(at);
  }

  /// Ends the requests of a client; `step` gets each.
  template <class Step>
  void end_requests_of(const client& gone, Step step) {
    for (auto at = requests_.begin(); at != requests_.end();) {
      const auto here = at++;
      if (here->whose.who == gone.who)
        step(take(here));
    }
  }

  pointer self_ = nullptr;
  std::uint32_t row_ = 0;
  client_watch clients_;
  std::list<Request> requests_;
};

} // namespace troupe::sync
