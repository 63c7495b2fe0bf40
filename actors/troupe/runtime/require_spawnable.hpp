// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/require_callable.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/behavior.hpp>
#include <caf/infer_handle.hpp>
#include <caf/local_actor.hpp>
#include <caf/typed_behavior.hpp>

#include <tuple>
#include <type_traits>

/// Checks of what an actor is made of: see require_startable.hpp.
namespace troupe::factory {

template <class T>
inline constexpr bool is_behavior = std::is_void_v<T>
                                    || std::is_same_v<T, caf::behavior>;
template <class... Sigs>
inline constexpr bool is_behavior<caf::typed_behavior<Sigs...>> = true;

/// Whether a function with that signature can be an actor.
template <class F, class Signature>
inline constexpr bool is_actor_function
  = Signature::known
    && is_behavior<typename Signature::result> && !std::is_member_pointer_v<F>;

template <class F, class Signature>
void require_actor_function() {
  constexpr bool is_function = !std::is_member_pointer_v<F>;
  constexpr bool known = Signature::known;
  constexpr bool gives_behavior = is_behavior<typename Signature::result>;
  if constexpr (!is_function)
    static_assert(is_function, "troupe: an actor's function is no member of a "
                               "class; make the class an actor, or call the "
                               "member in a function");
  else if constexpr (!known)
    static_assert(known, "troupe: an actor's function needs the types of its "
                         "parameters written out, not `auto` and not `...`");
  else
    static_assert(gives_behavior,
                  "troupe: an actor's function returns its caf::behavior, a "
                  "caf::typed_behavior, or nothing");
}

/// The handle of the actor of a function; of one that cannot be one, any.
template <class F, class Signature>
struct handle_of_function {
  using type = caf::actor;
};
template <class F, class Signature>
  requires is_actor_function<F, Signature>
struct handle_of_function<F, Signature> {
  using type = caf::infer_handle_from_fun_t<F>;
};

/// The same of a class.
template <class Actor>
inline constexpr bool is_actor_class
  = std::is_base_of_v<caf::abstract_actor, Actor>;
template <class Actor>
struct handle_of_class {
  using type = caf::actor;
};
template <class Actor>
  requires is_actor_class<Actor>
struct handle_of_class<Actor> {
  using type = caf::infer_handle_from_class_t<Actor>;
};

/// Whether `Recipe` makes an actor elsewhere from arguments of these types.
template <class Recipe, class... Args>
inline constexpr bool spawnable
  = Recipe::is_actor && !Recipe::changes_arguments
    && calls::all_sendable<typename Recipe::arguments>
    && calls::arguments_convert<typename Recipe::arguments, Args...>
    && calls::arguments_keep_values<typename Recipe::arguments, Args...>
    && Recipe::constructible && Recipe::constructor_keeps_values;

template <class Recipe, class... Args>
void require_spawnable() {
  using wanted = typename Recipe::arguments;
  constexpr bool keeps_arguments = !Recipe::changes_arguments;
  constexpr bool fits = std::tuple_size_v<wanted> == sizeof...(Args);
  constexpr bool converts = calls::arguments_convert<wanted, Args...>;
  constexpr bool keeps_values = calls::arguments_keep_values<wanted, Args...>
                                && Recipe::constructor_keeps_values;
  constexpr bool constructible = Recipe::constructible;
  if constexpr (!Recipe::is_actor)
    Recipe::require_actor();
  else if constexpr (!keeps_arguments)
    static_assert(keeps_arguments,
                  "troupe: an actor in another process must not take a "
                  "non-const reference: the change would be lost");
  else if constexpr (!fits)
    static_assert(fits,
                  "troupe: the number of arguments does not fit the actor");
  else if constexpr (!calls::all_sendable<wanted>)
    codec::require_sendable<wanted>();
  else if constexpr (!converts)
    static_assert(converts, "troupe: an argument does not convert to the "
                            "actor's parameter");
  else if constexpr (!constructible)
    static_assert(constructible,
                  "troupe: the actor's class has no constructor that takes a "
                  "caf::actor_config& and these arguments");
  else
    static_assert(keeps_values,
                  "troupe: an argument would narrow: its type has values that "
                  "the actor's parameter cannot hold; convert it where that is "
                  "meant, with static_cast");
}

/// Ends the compilation with one line that says what to write instead.
template <class F>
void refuse_to_spawn() {
  constexpr bool is_function = std::is_pointer_v<std::decay_t<F>>;
  if constexpr (is_function)
    static_assert(!is_function,
                  "troupe: name the actor's function in angle brackets: "
                  "spawn<function>(arguments...)");
  else
    calls::refuse_to_start<F>();
}

} // namespace troupe::factory
