// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/arguments.hpp>
#include <troupe/channel/outgoing.hpp>
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
  = std::is_same_v<typename on_object<Callable>::object_type, T>
    || std::is_base_of_v<typename on_object<Callable>::object_type, T>;

/// Whether `Callable` can be called on a held `T` with arguments of these
/// types, so that no second error follows the first.
template <class T, class Callable, class... Args>
consteval bool is_callable() {
  if constexpr (!on_object<Callable>::known || !works_on<T, Callable>)
    return false;
  else
    return calls::returnable<result_of<Callable>>
           && calls::accepts<typename on_object<Callable>::signature, Args...>;
}

/// Checks that, with one line for the first that does not hold.
template <class T, class Callable, class... Args>
void require_callable() {
  using signature = typename on_object<Callable>::signature;
  constexpr bool known = on_object<Callable>::known;
  constexpr bool right_object = works_on<T, Callable>;
  if constexpr (!known)
    static_assert(known,
                  "troupe: what is called on a held object is a member of its "
                  "class, or takes the object first; the types of its "
                  "parameters are written out, not `auto`");
  else if constexpr (!right_object)
    static_assert(right_object,
                  "troupe: the function works on an object of another type "
                  "than the proxy's");
  else if constexpr (!calls::accepts<signature, Args...>)
    calls::require_accepts<signature, Args...>();
  else
    calls::require_returnable<result_of<Callable>>();
}

/// Encodes a call of `Callable` on the `T` that is object `number`.
template <class T, class Callable, class... Args>
void encode_call(codec::packet& into, wire* coding, object_number number,
                 deadline limit, Args&&... args) {
  const call_head head{
    {}, number, operation_of<T, Callable>.id(), call_head::limit_of(limit)};
  codec::encoder to{into, codec::lends::no, coding};
  to.save(head);
  calls::encode_arguments<typename on_object<Callable>::signature>(
    to, std::forward<Args>(args)...);
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
