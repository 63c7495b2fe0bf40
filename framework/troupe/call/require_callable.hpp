// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/signature.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/codec/require_sendable.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

/// Checks of functions and arguments for other processes. Each check has a
/// constant that says whether it holds, and a function that ends the compilation
/// with one line if it does not. Call the function first, and put what needs
/// the check behind `if constexpr`, so that no second error follows.
namespace troupe::calls {

/// What was given instead of a function that can be started.
template <class F, class Plain = std::remove_cvref_t<F>>
concept not_startable = std::is_function_v<std::remove_pointer_t<Plain>>
                        || std::is_member_pointer_v<Plain>
                        || (std::is_class_v<Plain> && !captureless_lambda<Plain>
                            && !std::is_aggregate_v<Plain>);

/// Ends the compilation with one line that says what to write instead.
template <class F>
void refuse_to_start() {
  constexpr bool is_pointer = std::is_pointer_v<std::decay_t<F>>
                              || std::is_member_pointer_v<std::decay_t<F>>;
  constexpr bool captures = !is_pointer && !std::is_empty_v<F>;
  static_assert(!is_pointer, "troupe: name the function in angle brackets: "
                             "start<function>(arguments...)");
  static_assert(!captures,
                "troupe: a lambda or function object for another process must "
                "not capture: pass what it needs as arguments");
  static_assert(is_pointer || captures,
                "troupe: a lambda for another process needs the types of its "
                "parameters written out, not `auto`");
}

template <class Tuple>
inline constexpr bool all_sendable = false;
template <class... Ts>
inline constexpr bool all_sendable<std::tuple<Ts...>>
  = (codec::sendable<Ts> && ...);

/// Whether a function can be called in another process at all.
template <class Callable>
inline constexpr bool callable_elsewhere
  = Callable::signature::known && !Callable::signature::changes_arguments
    && all_sendable<typename Callable::signature::parameters>;

template <class Callable>
void require_callable_elsewhere() {
  using callable = typename Callable::signature;
  constexpr bool known = callable::known;
  constexpr bool keeps_arguments = !callable::changes_arguments;
  if constexpr (requires { typename Callable::given; })
    refuse_to_start<typename Callable::given>();
  else if constexpr (!known)
    static_assert(known, "troupe: a function for another process needs the "
                         "types of its parameters written out, not `auto` and "
                         "not `...`");
  else if constexpr (!keeps_arguments)
    static_assert(keeps_arguments,
                  "troupe: a function for another process must not take a "
                  "non-const reference: the change would be lost");
  else
    codec::require_sendable<typename callable::parameters>();
}

/// Whether each of `Args` converts to the parameter in its place.
template <class Parameters, class... Args>
inline constexpr bool arguments_convert = false;
template <class... Ps, class... Args>
  requires(sizeof...(Ps) == sizeof...(Args))
inline constexpr bool arguments_convert<std::tuple<Ps...>, Args...>
  = (std::is_convertible_v<Args, Ps> && ...);

/// Whether none of these conversions narrows. A literal may.
template <class Parameters, class... Args>
inline constexpr bool arguments_keep_values = true;
template <class... Ps, class... Args>
  requires(sizeof...(Ps) == sizeof...(Args))
inline constexpr bool arguments_keep_values<std::tuple<Ps...>, Args...>
  = (codec::argument_does_not_narrow<Args, Ps> && ...);

/// Whether `Callable` can be started with arguments of these types.
template <class Callable, class... Args>
inline constexpr bool startable
  = callable_elsewhere<Callable>
    && arguments_convert<typename Callable::signature::parameters, Args...>;

template <class Callable, class... Args>
void require_startable() {
  using callable = typename Callable::signature;
  constexpr bool fits = callable::arity == sizeof...(Args);
  constexpr bool converts
    = arguments_convert<typename callable::parameters, Args...>;
  constexpr bool keeps_values
    = arguments_keep_values<typename callable::parameters, Args...>;
  if constexpr (!callable_elsewhere<Callable>)
    require_callable_elsewhere<Callable>();
  else if constexpr (!fits)
    static_assert(fits, "troupe: the number of arguments does not fit the "
                        "function");
  else if constexpr (!converts)
    static_assert(converts, "troupe: an argument does not convert to the "
                            "function's parameter");
  else
    static_assert(keeps_values,
                  "troupe: an argument would narrow: its type has values that "
                  "the function's parameter cannot hold; convert it where that "
                  "is meant, with static_cast");
}

/// Whether the result of `Callable` can be sent back.
template <class Callable>
inline constexpr bool returnable
  = std::is_void_v<typename Callable::signature::result>
    || codec::sendable<std::decay_t<typename Callable::signature::result>>;

template <class Callable>
void require_returnable() {
  if constexpr (!returnable<Callable>)
    codec::require_sendable<
      std::decay_t<typename Callable::signature::result>>();
}

} // namespace troupe::calls
