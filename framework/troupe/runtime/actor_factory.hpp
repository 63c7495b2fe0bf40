// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/stored.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/process/entry.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/started_actor.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <caf/detail/init_fun_factory.hpp>
#include <caf/infer_handle.hpp>
#include <caf/local_actor.hpp>

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

/// What the templates of `spawn` are made of: a recipe for an actor is a type,
/// so that it is known in every process with the same image, like the functions
/// of `start`.
namespace troupe::factory {

/// Takes the pointer to itself off the parameters of an actor's function.
template <class Parameters>
struct without_self {
  using type = Parameters;
};

template <class Self, class... Ps>
  requires std::is_base_of_v<caf::local_actor, Self>
struct without_self<std::tuple<Self*, Ps...>> {
  using type = std::tuple<Ps...>;
};

/// Makes an actor of class `Actor` and starts it in this thread. It goes on in
/// the receiving thread: CAF's one thread may be busy with a slow actor.
template <class Actor, class... Args>
auto spawn_started(caf::actor_config& how, actor_start& start, Args&&... args) {
  using made = typename startable<Actor>::type;
  auto result = actor_system().spawn_class<made, caf::no_spawn_options>(
    how, std::forward<Args>(args)...);
  start.run();
  return result;
}

template <class F, class... Args>
auto spawn_function(F function, Args&&... args) {
  using actor = caf::infer_impl_from_fun_t<F>;
  actor_start start;
  auto how = start.config();
  caf::detail::init_fun_factory<actor, F> make_behavior;
  how.init_fun = make_behavior(std::move(function),
                               std::forward<Args>(args)...);
  return spawn_started<actor>(how, start);
}

/// An actor whose behaviour the function `F` returns.
template <auto F>
struct from_function {
  using signature = hosting::signature<decltype(F)>;
  using arguments = typename without_self<typename signature::parameters>::type;
  using handle = caf::infer_handle_from_fun_t<decltype(F)>;
  static constexpr bool changes_arguments = signature::changes_arguments;

  template <class... Args>
  static handle make(Args&&... args) {
    return spawn_function(F, std::forward<Args>(args)...);
  }
};

/// The same for a lambda without captures.
template <hosting::captureless_lambda F>
struct from_lambda {
  using signature = hosting::signature<F>;
  using arguments = typename without_self<typename signature::parameters>::type;
  using handle = caf::infer_handle_from_fun_t<F>;
  static constexpr bool changes_arguments = signature::changes_arguments;

  template <class... Args>
  static handle make(Args&&... args) {
    return spawn_function(F{}, std::forward<Args>(args)...);
  }
};

/// An actor of class `Actor`, whose constructor takes these.
template <class Actor, class... Ts>
struct from_class {
  using arguments = std::tuple<Ts...>;
  using handle = caf::infer_handle_from_class_t<Actor>;
  static constexpr bool changes_arguments = false;

  template <class... Args>
  static handle make(Args&&... args) {
    actor_start start;
    auto how = start.config();
    return spawn_started<Actor>(how, start, std::forward<Args>(args)...);
  }
};

/// Thrown in a host: what its constructor or its function has thrown.
struct failed_start {
  caf::error why;
};

/// Decodes the arguments, makes the actor, encodes its handle.
template <class Recipe>
std::optional<codec::packet> make(hosting::arguments given) {
  auto values = given.take<typename Recipe::arguments>();
  return codec::encode(std::apply(
    [](auto&&... args) {
      try {
        return Recipe::make(std::forward<decltype(args)>(args)...);
      } catch (...) {
        throw failed_start{transport::exception_being_handled()};
      }
    },
    std::move(values)));
}

/// The entry of a recipe; naming it anywhere in the program registers it.
template <class Recipe>
inline hosting::entry entry_of{&make<Recipe>};

/// Encodes arguments as the recipe wants them, with short messages for what
/// does not fit.
template <class Recipe, class... Args>
codec::packet encode_for(Args&&... args) {
  using wanted = typename Recipe::arguments;
  static_assert(!Recipe::changes_arguments,
                "troupe: an actor in another process must not take a non-const "
                "reference: the change would be lost");
  static_assert(std::tuple_size_v<wanted> == sizeof...(Args),
                "troupe: the number of arguments does not fit the actor");
  if constexpr (std::tuple_size_v<wanted> == sizeof...(Args)) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      (codec::require_sendable<std::tuple_element_t<I, wanted>>(), ...);
      static_assert(
        (std::is_convertible_v<Args&&, std::tuple_element_t<I, wanted>> && ...),
        "troupe: an argument does not convert to the actor's parameter");
      return codec::encode(
        wanted{std::tuple_element_t<I, wanted>(std::forward<Args>(args))...});
    }(std::index_sequence_for<Args...>{});
  } else {
    return {};
  }
}

} // namespace troupe::factory
