// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/stored.hpp>
#include <troupe/call/entry.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/require_spawnable.hpp>
#include <troupe/runtime/started_actor.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <caf/actor_config.hpp>
#include <caf/detail/init_fun_factory.hpp>
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
  using signature = calls::signature<decltype(F)>;
  using arguments = typename without_self<typename signature::parameters>::type;
  using handle = typename handle_of_function<decltype(F), signature>::type;
  static constexpr bool changes_arguments = signature::changes_arguments;
  static constexpr bool is_actor = is_actor_function<decltype(F), signature>;
  static constexpr bool constructible = true;
  static constexpr bool constructor_keeps_values = true;

  static void require_actor() {
    require_actor_function<decltype(F), signature>();
  }

  template <class... Args>
  static handle make(Args&&... args) {
    return spawn_function(F, std::forward<Args>(args)...);
  }
};

/// The same for a lambda without captures.
template <calls::captureless_lambda F>
struct from_lambda {
  using signature = calls::signature<F>;
  using arguments = typename without_self<typename signature::parameters>::type;
  using handle = typename handle_of_function<F, signature>::type;
  static constexpr bool changes_arguments = signature::changes_arguments;
  static constexpr bool is_actor = is_actor_function<F, signature>;
  static constexpr bool constructible = true;
  static constexpr bool constructor_keeps_values = true;

  static void require_actor() {
    require_actor_function<F, signature>();
  }

  template <class... Args>
  static handle make(Args&&... args) {
    return spawn_function(F{}, std::forward<Args>(args)...);
  }
};

/// An actor of class `Actor`, whose constructor takes these.
template <class Actor, class... Ts>
struct from_class {
  using arguments = std::tuple<Ts...>;
  using handle = typename handle_of_class<Actor>::type;
  static constexpr bool changes_arguments = false;
  static constexpr bool is_actor = is_actor_class<Actor>;
  static constexpr bool constructible
    = std::is_constructible_v<Actor, caf::actor_config&, Ts...>;
  static constexpr bool constructor_keeps_values
    = codec::construction_does_not_narrow<Actor, caf::actor_config&, Ts...>;

  static void require_actor() {
    constexpr bool derived = is_actor;
    static_assert(derived, "troupe: an actor's class is derived from one of "
                           "CAF's, as caf::event_based_actor");
  }

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

/// The actor that the calling thread has just made by an entry; whoever runs
/// the entry takes it.
[[nodiscard]] caf::strong_actor_ptr& made_last() noexcept;

/// Decodes the arguments, makes the actor, and leaves it in `made_last`.
template <class Recipe>
std::optional<codec::packet> make(calls::arguments given) {
  auto values = given.take<typename Recipe::arguments>();
  made_last() = caf::actor_cast<caf::strong_actor_ptr>(std::apply(
    [](auto&&... args) {
      try {
        return Recipe::make(std::forward<decltype(args)>(args)...);
      } catch (...) {
        throw failed_start{transport::exception_being_handled()};
      }
    },
    std::move(values)));
  return codec::packet{};
}

/// The entry of a recipe; naming it anywhere in the program registers it.
template <class Recipe>
inline calls::entry entry_of{&make<Recipe>};

/// Converts arguments to what the recipe wants. They have been checked. Throws
/// `invalid_argument` for a literal whose value the parameter does not have.
template <class Recipe, class... Args>
typename Recipe::arguments arguments_for(Args&&... args) {
  using wanted = typename Recipe::arguments;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return wanted{codec::argument_as<std::tuple_element_t<I, wanted>>(
      std::forward<Args>(args))...};
  }(std::index_sequence_for<Args...>{});
}

/// Encodes arguments as the recipe wants them.
template <class Recipe, class... Args>
codec::packet encode_for(Args&&... args) {
  return codec::encode(arguments_for<Recipe>(std::forward<Args>(args)...));
}

} // namespace troupe::factory
