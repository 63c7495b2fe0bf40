// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/require_callable.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/behavior.hpp>
#include <caf/infer_handle.hpp>
#include <caf/local_actor.hpp>
#include <caf/typed_behavior.hpp>

#include <type_traits>

/// Checks of what an actor is made of: see require_callable.hpp.
namespace troupe::runtime {

template <class T>
inline constexpr bool is_behavior = std::is_void_v<T>
                                    || std::is_same_v<T, caf::behavior>;
template <class... Sigs>
inline constexpr bool is_behavior<caf::typed_behavior<Sigs...>> = true;

/// Whether a function can be an actor.
template <class Callable>
inline constexpr bool is_actor_function
  = Callable::signature::known
    && is_behavior<typename Callable::signature::result>
    && !std::is_member_pointer_v<typename Callable::function_type>;

template <class Callable>
void require_actor_function() {
  using signature = typename Callable::signature;
  constexpr bool is_function
    = !std::is_member_pointer_v<typename Callable::function_type>;
  constexpr bool known = signature::known;
  constexpr bool gives_behavior = is_behavior<typename signature::result>;
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
template <class Callable>
struct handle_of_function {
  using type = caf::actor;
};
template <class Callable>
  requires is_actor_function<Callable>
struct handle_of_function<Callable> {
  using type = caf::infer_handle_from_fun_t<typename Callable::function_type>;
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
  = Recipe::is_actor && Recipe::constructible
    && Recipe::constructor_keeps_values
    && calls::accepts<typename Recipe::signature, Args...>;

template <class Recipe, class... Args>
void require_spawnable() {
  using signature = typename Recipe::signature;
  constexpr bool constructible = Recipe::constructible;
  constexpr bool keeps_values = Recipe::constructor_keeps_values;
  if constexpr (!Recipe::is_actor)
    Recipe::require_actor();
  else if constexpr (!calls::accepts<signature, Args...>)
    calls::require_accepts<signature, Args...>();
  else if constexpr (!constructible)
    static_assert(constructible,
                  "troupe: the actor's class has no constructor that takes a "
                  "caf::actor_config& and these arguments");
  else
    static_assert(keeps_values,
                  "troupe: an argument would narrow: its type has values that "
                  "the constructor's parameter cannot hold; convert it where "
                  "that is meant, with static_cast");
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
    calls::refuse<F>();
}

} // namespace troupe::runtime
