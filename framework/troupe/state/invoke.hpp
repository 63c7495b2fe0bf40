// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/require_callable.hpp>
#include <troupe/channel/outgoing.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/codec/require_sendable.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/caller.hpp>
#include <troupe/state/future.hpp>
#include <troupe/state/operation.hpp>
#include <troupe/state/target.hpp>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

/// What proxies and states are made of: a call with C++ arguments.
namespace troupe::held {

/// Whether `Callable` works on a held `T`.
template <class T, class Callable>
inline constexpr bool works_on
  = std::is_same_v<typename Callable::signature::object_type, T>
    || std::is_base_of_v<typename Callable::signature::object_type, T>;

/// Whether the result of `Callable` can be sent back.
template <class Callable>
inline constexpr bool answers = [] {
  if constexpr (std::is_void_v<result_of<Callable>>)
    return true;
  else
    return codec::sendable<result_of<Callable>>;
}();

/// Whether `Callable` can be called on a held `T` with arguments of these types,
/// so that no second error follows the first.
template <class T, class Callable, class... Args>
consteval bool is_callable() {
  using signature = typename Callable::signature;
  if constexpr (!signature::known || signature::changes_arguments
                || !works_on<T, Callable>)
    return false;
  else
    return answers<Callable>
           && calls::all_sendable<typename signature::parameters>
           && calls::arguments_convert<typename signature::parameters, Args...>;
}

/// Checks that, with one line for the first that does not hold.
template <class T, class Callable, class... Args>
void require_callable() {
  using signature = typename Callable::signature;
  constexpr bool known = signature::known;
  constexpr bool right_object = works_on<T, Callable>;
  constexpr bool keeps_arguments = !signature::changes_arguments;
  constexpr bool fits = signature::arity == sizeof...(Args);
  constexpr bool converts
    = calls::arguments_convert<typename signature::parameters, Args...>;
  constexpr bool keeps_values
    = calls::arguments_keep_values<typename signature::parameters, Args...>;
  if constexpr (!known)
    static_assert(known,
                  "troupe: what is called on a held object is a member of its "
                  "class, or takes the object first; the types of its "
                  "parameters are written out, not `auto`");
  else if constexpr (!right_object)
    static_assert(right_object,
                  "troupe: the function works on an object of another type "
                  "than the proxy's");
  else if constexpr (!keeps_arguments)
    static_assert(keeps_arguments,
                  "troupe: a function of a held object must not take a "
                  "non-const reference besides the object: the change would be "
                  "lost");
  else if constexpr (!fits)
    static_assert(fits, "troupe: the number of arguments does not fit the "
                        "function");
  else if constexpr (!calls::all_sendable<typename signature::parameters>)
    codec::require_sendable<typename signature::parameters>();
  else if constexpr (!converts)
    static_assert(converts, "troupe: an argument does not convert to the "
                            "function's parameter");
  else if constexpr (!keeps_values)
    static_assert(keeps_values,
                  "troupe: an argument would narrow: its type has values that "
                  "the function's parameter cannot hold; convert it where that "
                  "is meant, with static_cast");
  else if constexpr (!answers<Callable>)
    codec::require_sendable<result_of<Callable>>();
}

/// An argument as the parameter's type, without a copy where it is that. Throws
/// `invalid_argument` for a literal that the parameter cannot hold.
template <class P, class Arg>
decltype(auto) as_parameter(Arg&& arg) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Arg>, P>)
    return static_cast<const P&>(arg);
  else
    return codec::argument_as<P>(std::forward<Arg>(arg));
}

/// Encodes the arguments of a call of `Callable`, one after the other.
template <class Callable, class... Args>
void encode_parameters(codec::packet& into, Args&&... args) {
  using parameters = typename Callable::signature::parameters;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    codec::encode_into<std::tuple_element_t<I, parameters>...>(
      into, as_parameter<std::tuple_element_t<I, parameters>>(
              std::forward<Args>(args))...);
  }(std::index_sequence_for<Args...>{});
}

/// Encodes a call of `Callable` on the `T` that is object `number`.
template <class T, class Callable, class... Args>
void encode_call(codec::packet& into, wire* coding, object_number number,
                 deadline limit, Args&&... args) {
  const wire::scope scope{coding};
  const call_head head{
    {}, number, operation_of<T, Callable>.id(), call_head::limit_of(limit)};
  codec::encode_into(into, head);
  encode_parameters<Callable>(into, std::forward<Args>(args)...);
}

/// Calls `Callable` and waits for the result, which is nothing where the call
/// had a limit and that passed.
template <class T, class Callable, class... Args>
std::optional<std::conditional_t<std::is_void_v<result_of<Callable>>, bool,
                                 result_of<Callable>>>
invoke_before(const target& on, deadline limit, Args&&... args) {
  using result = result_of<Callable>;
  require_callable<T, Callable, Args&&...>();
  if constexpr (is_callable<T, Callable, Args&&...>()) {
    auto& via = *on.via();
    channel::outgoing loan;
    encode_call<T, Callable>(loan.packet(), via.coding(), on.number(), limit,
                             std::forward<Args>(args)...);
    result_reader<result> reader{via, operation_of<T, Callable>};
    via.call(loan.packet(), reader);
    if (reader.timed_out())
      return std::nullopt;
    if constexpr (std::is_void_v<result>)
      return true;
    else
      return reader.take();
  } else {
    return std::nullopt;
  }
}

template <class T, class Callable, class... Args>
result_of<Callable> invoke(const target& on, Args&&... args) {
  using result = result_of<Callable>;
  require_callable<T, Callable, Args&&...>();
  if constexpr (is_callable<T, Callable, Args&&...>()) {
    auto& via = *on.via();
    channel::outgoing loan;
    encode_call<T, Callable>(loan.packet(), via.coding(), on.number(),
                             deadline::never(), std::forward<Args>(args)...);
    result_reader<result> reader{via, operation_of<T, Callable>};
    via.call(loan.packet(), reader);
    return reader.take();
  } else {
    std::terminate();
  }
}

template <class T, class Callable, class... Args>
future<result_of<Callable>> invoke_async(const target& on, Args&&... args) {
  require_callable<T, Callable, Args&&...>();
  if constexpr (is_callable<T, Callable, Args&&...>()) {
    const auto& via = on.via();
    channel::outgoing loan;
    encode_call<T, Callable>(loan.packet(), via->coding_for_send(), on.number(),
                             deadline::never(), std::forward<Args>(args)...);
    return {via, via->send(loan.packet()), operation_of<T, Callable>};
  } else {
    return {};
  }
}

} // namespace troupe::held
