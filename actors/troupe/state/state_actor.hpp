// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/state.hpp>
#include <troupe/state/state_messages.hpp>
#include <troupe/sync/sync_messages.hpp>
#include <troupe/transport/bundle_response.hpp>

#include <caf/error.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

/// The actor of a state: the same objects, by messages and without blocking.
///
///     held::call      a function on an object, or on the state itself: make
///                     an object, name it, find it, run something; answered
///                     with held::answer
///     query           how many objects the state holds
///     answered, number    not for users
///
/// A call that waits is answered when it is done, or with `timed_out`. What the
/// function throws is an error of category `troupe::errc`.
///
/// # What a crash leaves
/// If the state's process dies, requests fail at once. If the sender's process
/// dies, its calls that wait are forgotten.
using state_actor
  = caf::typed_actor<caf::result<held::answer>(held::call),
                     caf::result<std::uint64_t>(query_atom),
                     caf::result<void>(answered_atom, std::uint64_t)>;

/// Returns the actor of a state; the first to ask makes the state's process
/// make its actor system. @blocks on the state
[[nodiscard]] state_actor actor_of(const state& of);

namespace held {

/// A call whose result is an `R`: a `held::call`, which is what is sent.
template <class R>
struct call_for : call {};

/// For the functions below. `on` is empty for the state itself.
template <class R, class T, class Callable, class... Args>
[[nodiscard]] call_for<R>
prepare(const std::shared_ptr<target>& on, Args&&... args) {
  require_callable<T, Callable, Args&&...>();
  call_for<R> made;
  if constexpr (is_callable<T, Callable, Args&&...>()) {
    made.operation = operation_of<T, Callable>.id();
    if (on)
      made.object = bundle::of(untyped{on});
    made.arguments
      = bundle{calls::pack_arguments<typename on_object<Callable>::signature>(
        std::forward<Args>(args)...)};
  }
  return made;
}

/// The message that calls `F` on the object with these arguments, checked as by
/// `proxy::call`. Handles may be among them. Throws `invalid_argument` for
/// objects of another program's state, `limit_reached`.
template <auto F, class T, class... Args>
[[nodiscard]] call_for<result_of<calls::named<F>>>
call_of(const proxy<T>& object, Args&&... args) {
  return prepare<result_of<calls::named<F>>, T, calls::named<F>>(
    object.target(), std::forward<Args>(args)...);
}

/// The message that runs a lambda on the object, as `proxy::update` does.
template <calls::captureless_lambda F, class T, class... Args>
[[nodiscard]] call_for<result_of<calls::lambda<F>>>
call_of(const proxy<T>& object, F, Args&&... args) {
  return prepare<result_of<calls::lambda<F>>, T, calls::lambda<F>>(
    object.target(), std::forward<Args>(args)...);
}

/// The messages that copy the whole object, and that put another value in its
/// place: `proxy::snapshot` and `proxy::assign`.
template <class T>
[[nodiscard]] call_for<T> call_to_copy(const proxy<T>& object) {
  return call_of<&whole<T>>(object);
}

template <class T>
[[nodiscard]] call_for<void>
call_to_assign(const proxy<T>& object, const T& value) {
  return call_of<&replace<T>>(object, value);
}

/// The message that makes a `T` in the state, as `state::make` does; its result
/// is a proxy.
template <class T, class... Args>
[[nodiscard]] call_for<typename made<T>::handle> call_to_make(Args&&... args) {
  using handle = typename made<T>::handle;
  making<T, Args...>::require();
  if constexpr (making<T, Args...>::possible) {
    if constexpr (requires { handle::offer(); })
      handle::offer();
    return prepare<handle, itself, typename making<T, Args...>::recipe>(
      nullptr, stored<Args>(std::forward<Args>(args))...);
  } else {
    return {};
  }
}

/// The message that runs `F(args...)` in the state's process, as `state::run`
/// does.
template <auto F, class... Args>
[[nodiscard]] call_for<result_of<free_function<F>>>
call_to_run(Args&&... args) {
  return prepare<result_of<free_function<F>>, itself, free_function<F>>(
    nullptr, std::forward<Args>(args)...);
}

template <calls::captureless_lambda F, class... Args>
[[nodiscard]] call_for<result_of<free_lambda<F>>>
call_to_run(F, Args&&... args) {
  return prepare<result_of<free_lambda<F>>, itself, free_lambda<F>>(
    nullptr, std::forward<Args>(args)...);
}

/// The messages that keep an object under a name, find it, and take the name
/// away: `state::bind`, `find` and `unbind`. The error of a name that nothing
/// has is `unknown_name`.
template <class T>
[[nodiscard]] call_for<void>
call_to_bind(const std::string& name, const proxy<T>& object) {
  return prepare<void, itself, calls::named<&itself::bind>>(
    nullptr, name, untyped{object.target()});
}

template <class T>
[[nodiscard]] call_for<typename made<T>::handle>
call_to_find(const std::string& name) {
  return prepare<typename made<T>::handle, itself, calls::named<&itself::find>>(
    nullptr, name, type_hash<typename made<T>::object>());
}

[[nodiscard]] inline call_for<bool> call_to_unbind(const std::string& name) {
  return prepare<bool, itself, calls::named<&itself::unbind>>(nullptr, name);
}

/// Reads the result of a call. Throws `malformed_bytes`; for handles
/// `stale_handle` and `limit_reached`.
template <class R>
[[nodiscard]] R result_in(const answer& from) {
  if constexpr (!std::is_void_v<R>)
    return from.result.get<R>();
}

/// The same for a call of `F`.
template <auto F>
[[nodiscard]] result_of<calls::named<F>> result_in(const answer& from) {
  return result_in<result_of<calls::named<F>>>(from);
}

/// Sends a call from an actor, without blocking it:
///
///     held::request(self, bank, 10s, held::call_to_make<account>("Sam", 100))
///       .then([=](troupe::proxy<account> savings) { ... },
///             [=](const caf::error& why) { ... });
///
/// What it returns has CAF's `then` and `await`; where `self` is a
/// `caf::scoped_actor`, `receive`.
template <class Self, class Timeout, class R>
[[nodiscard]] auto request(const Self& self, const state_actor& to,
                           Timeout timeout, const call_for<R>& what) {
  auto handle = self->request(to, timeout, static_cast<const call&>(what));
  return transport::bundle_response<R, answer, decltype(handle)>{
    std::move(handle)};
}

/// Calls `F` on the object:
///
///     held::request<&account::deposit>(self, bank, 10s, savings, 10)
///       .then([=](int balance) { ... }, [=](const caf::error& why) { ... });
template <auto F, class Self, class Timeout, class T, class... Args>
[[nodiscard]] auto request(const Self& self, const state_actor& to,
                           Timeout timeout, const proxy<T>& object,
                           Args&&... args) {
  return request(self, to, timeout,
                 call_of<F>(object, std::forward<Args>(args)...));
}

} // namespace held

} // namespace troupe
