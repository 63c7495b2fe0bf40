// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/number_wire.hpp>
#include <troupe/state/state.hpp>
#include <troupe/state/state_messages.hpp>
#include <troupe/sync/sync_messages.hpp>

#include <caf/error.hpp>
#include <caf/result.hpp>
#include <caf/typed_actor.hpp>

#include <span>
#include <type_traits>
#include <utility>

namespace troupe {

/// The actor of a state: the same objects, by messages and without blocking.
///
///     held::call      a function on an object; answered with held::answer
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

/// The message that calls `F` on the object with these arguments, checked as by
/// `proxy::call`. Proxies of the same state may be among them, other handles
/// may not.
template <auto F, class T, class... Args>
[[nodiscard]] call call_of(const proxy<T>& object, Args&&... args) {
  require_callable<T, named<F>, Args&&...>();
  call result;
  if constexpr (is_callable<T, named<F>, Args&&...>()) {
    using parameters = typename named<F>::signature::parameters;
    number_wire coding{object.target()->via()};
    const wire::scope scope{&coding};
    codec::packet packed;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      codec::encode_into<std::tuple_element_t<I, parameters>...>(
        packed, as_parameter<std::tuple_element_t<I, parameters>>(
                  std::forward<Args>(args))...);
    }(std::index_sequence_for<Args...>{});
    coding.require_no_handles(packed);
    result.object = object.target()->number();
    result.operation = operation_of<T, named<F>>.id();
    result.arguments.assign(reinterpret_cast<const char*>(packed.body().data()),
                            packed.body().size());
  }
  return result;
}

/// Reads the result of a call of `F`. Throws `malformed_bytes`.
template <auto F>
[[nodiscard]] result_of<named<F>> result_in(const answer& from) {
  if constexpr (!std::is_void_v<result_of<named<F>>>)
    return codec::decode<result_of<named<F>>>(
      std::as_bytes(std::span{from.bytes}));
}

/// A request that was sent; `then` and `await` take what is to be done with
/// the result, which is given as what `F` returns.
template <auto F, class Handle>
class response {
public:
  explicit response(Handle handle) : handle_(std::move(handle)) {
  }

  template <class OnResult, class OnError>
  void then(OnResult on_result, OnError on_error) && {
    std::move(handle_).then(reading(std::move(on_result)), std::move(on_error));
  }

  template <class OnResult>
  void then(OnResult on_result) && {
    std::move(handle_).then(reading(std::move(on_result)));
  }

  template <class OnResult, class OnError>
  void await(OnResult on_result, OnError on_error) && {
    std::move(handle_).await(reading(std::move(on_result)),
                             std::move(on_error));
  }

private:
  template <class OnResult>
  static auto reading(OnResult on_result) {
    return [on_result = std::move(on_result)](const answer& from) mutable {
      if constexpr (std::is_void_v<result_of<named<F>>>)
        on_result();
      else
        on_result(result_in<F>(from));
    };
  }

  Handle handle_;
};

/// Calls `F` on the object from an actor, without blocking it:
///
///     held::request<&account::deposit>(self, bank, 10s, savings, 10)
///       .then([=](int balance) { ... }, [=](const caf::error& why) { ... });
template <auto F, class Self, class Timeout, class T, class... Args>
[[nodiscard]] auto request(Self* self, const state_actor& to, Timeout timeout,
                           const proxy<T>& object, Args&&... args) {
  auto handle = self->request(to, timeout,
                              call_of<F>(object, std::forward<Args>(args)...));
  return response<F, decltype(handle)>{std::move(handle)};
}

} // namespace held

} // namespace troupe
