// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>
#include <troupe/codec/require_sendable.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

/// What can be sent within a run, and yet not to another machine.
namespace troupe::machines {

/// A type of Troupe's that names shared memory here, and is sent as its bytes.
template <class T>
concept sent_as_bytes = requires { requires T::is_sent_as_bytes; };

/// A handle of an actor, which crosses.
template <class T>
inline constexpr bool is_actor_handle = false;
template <>
inline constexpr bool is_actor_handle<caf::actor> = true;
template <>
inline constexpr bool is_actor_handle<caf::strong_actor_ptr> = true;
template <class... Sigs>
inline constexpr bool is_actor_handle<caf::typed_actor<Sigs...>> = true;

/// Whether `T` itself names something of this machine: shared memory, or
/// whoever is reached through it. Troupe's own types that say how they are sent
/// do, and so do CAF's, whose messages may have memory in them.
template <class T>
inline constexpr bool is_of_one_machine
  = (codec::self_coding<T> || codec::has_coding<T>)
    && !sent_as_bytes<T> && !is_actor_handle<T>
    && (codec::type_name<T>().starts_with("troupe::")
        || codec::type_name<T>().starts_with("caf::"));

/// Finds the first part of `T` that is of one machine; `void` if none is.
/// `Above` are the aggregates that contain `T`.
template <class T, class... Above>
struct part_of_one_machine {
  template <class First, class... Rest>
  static auto first_of(codec::type_list<First, Rest...>) {
    using found =
      typename decltype(part_of_one_machine<First, T, Above...>::get())::type;
    if constexpr (!std::is_void_v<found>)
      return std::type_identity<found>{};
    else
      return first_of(codec::type_list<Rest...>{});
  }

  static auto first_of(codec::type_list<>) {
    return std::type_identity<void>{};
  }

  static auto get() {
    if constexpr (std::is_bounded_array_v<T>)
      return part_of_one_machine<std::remove_extent_t<T>, Above...>::get();
    else if constexpr (is_of_one_machine<T>)
      return std::type_identity<T>{};
    else if constexpr ((std::is_same_v<T, Above> || ...))
      return std::type_identity<void>{};
    else if constexpr (codec::standard_type<T>)
      return first_of(typename codec::standard<T>::parts{});
    else if constexpr (codec::plain_aggregate<T>)
      return first_of(codec::members::types<T>{});
    else
      return std::type_identity<void>{};
  }
};

template <class T>
using culprit_of = typename decltype(part_of_one_machine<T>::get())::type;

template <class T>
inline constexpr bool crosses = std::is_void_v<culprit_of<T>>;

/// Ends the compilation with one line if it does not cross. The compiler shows
/// the arguments: which parameter it is, from 1, its type, and the part of it
/// that is of one machine.
template <std::size_t Number, class Parameter, class Part>
struct parameter_for_another_machine {
  static void require() {
    static_assert(std::is_void_v<Part>,
                  "troupe: a parameter of a function for another machine is "
                  "memory of this machine: pass a copy, such as a std::vector "
                  "or buffer.copied(), or publish a held object and connect to "
                  "it there");
  }
};

template <class Result, class Part>
struct result_from_another_machine {
  static void require() {
    static_assert(std::is_void_v<Part>,
                  "troupe: the result of a function for another machine is "
                  "memory of that machine: return a copy, such as a "
                  "std::vector or buffer.copied()");
  }
};

/// The same of an actor's function or constructor.
template <std::size_t Number, class Parameter, class Part>
struct parameter_of_actor_on_another_machine {
  static void require() {
    static_assert(std::is_void_v<Part>,
                  "troupe: a parameter of an actor on another machine is "
                  "memory of this machine: pass a copy, such as a std::vector "
                  "or buffer.copied(), or publish a held object and connect to "
                  "it there");
  }
};

template <class Tuple>
inline constexpr bool all_cross = false;
template <class... Ts>
inline constexpr bool all_cross<std::tuple<Ts...>> = (crosses<Ts> && ...);

/// Whether a function of that signature can be called on another machine, as
/// far as this machine's memory is concerned.
template <class Signature>
inline constexpr bool callable_on_machines
  = all_cross<typename Signature::parameters>
    && (std::is_void_v<typename Signature::result>
        || crosses<std::decay_t<typename Signature::result>>);

template <class Signature>
void require_callable_on_machines() {
  using parameters = typename Signature::parameters;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (parameter_for_another_machine<
       I + 1, std::tuple_element_t<I, parameters>,
       culprit_of<std::tuple_element_t<I, parameters>>>::require(),
     ...);
  }(std::make_index_sequence<std::tuple_size_v<parameters>>{});
  using result = std::decay_t<typename Signature::result>;
  if constexpr (!std::is_void_v<result>)
    result_from_another_machine<result, culprit_of<result>>::require();
}

/// Whether an actor of that signature can be made on another machine.
template <class Signature>
inline constexpr bool spawnable_on_machines
  = all_cross<typename Signature::parameters>;

template <class Signature>
void require_spawnable_on_machines() {
  using parameters = typename Signature::parameters;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (parameter_of_actor_on_another_machine<
       I + 1, std::tuple_element_t<I, parameters>,
       culprit_of<std::tuple_element_t<I, parameters>>>::require(),
     ...);
  }(std::make_index_sequence<std::tuple_size_v<parameters>>{});
}

} // namespace troupe::machines
