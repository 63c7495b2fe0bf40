// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/stored.hpp>
#include <troupe/calls/arguments.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/require_spawnable.hpp>
#include <troupe/runtime/started_actor.hpp>
#include <troupe/transport/handle_coding.hpp>

#include <caf/actor_config.hpp>
#include <caf/detail/init_fun_factory.hpp>
#include <caf/local_actor.hpp>

#include <type_traits>
#include <utility>

/// What the templates of `spawn` are made of: a recipe for an actor is a type,
/// so that it is known in every process with the same image, like the functions
/// of `start`.
namespace troupe::runtime {

/// The signature of an actor's function as who spawns it sees it: without the
/// pointer to itself, where it has one.
template <class Signature,
          class First
          = std::decay_t<typename calls::without_first<Signature>::first>>
struct without_self : Signature {};
template <class Signature, class Self>
  requires std::is_base_of_v<caf::local_actor, Self>
struct without_self<Signature, Self*> : calls::without_first<Signature> {};

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

/// A recipe is a named function, with `signature` and `call`, that makes an
/// actor and gives its `handle`. This one is of an actor whose behaviour the
/// function `Callable` returns.
template <class Callable>
struct from_callable {
  using signature = without_self<typename Callable::signature>;
  using handle = typename handle_of_function<Callable>::type;
  static constexpr bool is_actor = is_actor_function<Callable>;
  static constexpr bool constructible = true;
  static constexpr bool constructor_keeps_values = true;

  static void require_actor() {
    require_actor_function<Callable>();
  }

  template <class... Args>
  static handle call(Args&&... args) {
    return spawn_function(Callable::function, std::forward<Args>(args)...);
  }
};

template <auto F>
using from_function = from_callable<calls::named<F>>;

template <calls::captureless_lambda F>
using from_lambda = from_callable<calls::lambda<F>>;

/// An actor of class `Actor`, whose constructor takes these.
template <class Actor, class... Ts>
struct from_class {
  using handle = typename handle_of_class<Actor>::type;
  using signature = calls::signature_of<handle, Ts...>;
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
  static handle call(Args&&... args) {
    actor_start start;
    auto how = start.config();
    return spawn_started<Actor>(how, start, std::forward<Args>(args)...);
  }
};

/// Thrown in a host: what its constructor or its function has thrown.
struct failed_start {
  caf::error why;
};

/// A recipe that another process names: takes the arguments out of a message
/// and makes the actor. Throws `failed_start`, `malformed_bytes`.
using recipe_entry
  = calls::entry_of_kind<caf::strong_actor_ptr(calls::arguments)>;

template <class Recipe>
caf::strong_actor_ptr make(calls::arguments given) {
  auto values = given.take<typename Recipe::signature>();
  try {
    return caf::actor_cast<caf::strong_actor_ptr>(
      calls::run<Recipe>(std::move(values)));
  } catch (...) {
    throw failed_start{transport::exception_being_handled()};
  }
}

/// The entry of a recipe; naming it anywhere in the program registers it.
template <class Recipe>
inline recipe_entry entry_of{&make<Recipe>};

} // namespace troupe::runtime
