// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/named.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/codec/require_sendable.hpp>

#include <tuple>
#include <type_traits>

/// Checks of functions and arguments for other processes. Each check has a
/// constant that says whether it holds, and a function that ends the
/// compilation with one line if it does not. Call the function first, and put
/// what needs the check behind `if constexpr`, so that no second error follows.
namespace troupe::calls {

template <class Tuple>
inline constexpr bool all_sendable = false;
template <class... Ts>
inline constexpr bool all_sendable<std::tuple<Ts...>>
  = (codec::sendable<Ts> && ...);

/// Whether a function of that signature can be called elsewhere at all.
template <class Signature>
inline constexpr bool callable
  = Signature::known && !Signature::changes_arguments
    && all_sendable<typename Signature::parameters>;

template <class Signature>
void require_callable() {
  constexpr bool known = Signature::known;
  constexpr bool keeps_arguments = !Signature::changes_arguments;
  if constexpr (requires { typename Signature::given; })
    refuse<typename Signature::given>();
  else if constexpr (!known)
    static_assert(known, "troupe: a function for another process needs the "
                         "types of its parameters written out, not `auto` and "
                         "not `...`");
  else if constexpr (!keeps_arguments)
    static_assert(keeps_arguments,
                  "troupe: a function for another process must not take a "
                  "non-const reference besides the object that it works on: "
                  "the change would be lost");
  else
    codec::require_sendable<typename Signature::parameters>();
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

/// Whether a function of that signature can be called elsewhere with arguments
/// of these types.
template <class Signature, class... Args>
inline constexpr bool accepts
  = callable<Signature>
    && arguments_convert<typename Signature::parameters, Args...>
    && arguments_keep_values<typename Signature::parameters, Args...>;

template <class Signature, class... Args>
void require_accepts() {
  using parameters = typename Signature::parameters;
  constexpr bool fits = Signature::arity == sizeof...(Args);
  constexpr bool converts = arguments_convert<parameters, Args...>;
  constexpr bool keeps_values = arguments_keep_values<parameters, Args...>;
  if constexpr (!callable<Signature>)
    require_callable<Signature>();
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

/// Whether a result of that type can be sent back.
template <class Result>
inline constexpr bool returnable = std::is_void_v<Result>
                                   || codec::sendable<std::decay_t<Result>>;

template <class Result>
void require_returnable() {
  if constexpr (!returnable<Result>)
    codec::require_sendable<std::decay_t<Result>>();
}

} // namespace troupe::calls
