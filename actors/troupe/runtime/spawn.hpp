// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/runtime/host.hpp>
#include <troupe/transport/type_table.hpp>

#include <utility>

namespace troupe {

/// Where `spawn` makes an actor.
enum class placement {
  /// In a process of its own, which ends with the actor.
  own_process,
  /// In the calling process, as `actor_system::spawn` does; but what the
  /// actor's function throws is thrown by `spawn`.
  here,
};

namespace runtime {

template <class Recipe, class... Args>
typename Recipe::handle place(placement where, Args&&... args) {
  require_spawnable<Recipe, Args&&...>();
  if constexpr (spawnable<Recipe, Args&&...>) {
    if (where == placement::here) {
      // The same conversions as on the way to another process.
      return calls::run<Recipe>(
        calls::keep_arguments<typename Recipe::signature>(
          std::forward<Args>(args)...));
    }
    auto arguments = calls::pack_arguments<typename Recipe::signature>(
      std::forward<Args>(args)...);
    return caf::actor_cast<typename Recipe::handle>(awaited(request_own_process(
      entry_of<Recipe>, arguments, {}, process_end::awaited)));
  } else {
    return {};
  }
}

template <class T>
inline constexpr bool is_place
  = std::is_same_v<std::remove_cvref_t<T>, placement>
    || std::is_same_v<std::remove_cvref_t<T>, host>;

template <class... Args>
inline constexpr bool names_place
  = is_place<std::tuple_element_t<0, std::tuple<Args..., void>>>;

} // namespace runtime

/// Makes an actor of function `F` in a process of its own and returns its
/// handle: a `caf::actor`, or the typed handle of a typed behaviour.
///
///     caf::behavior counter(caf::stateful_actor<int>* self, int start);
///
///     auto a = troupe::spawn<counter>(10);                       // own process
///     auto b = troupe::spawn<counter>(troupe::placement::here, 10);
///     auto c = troupe::spawn<counter>(some_host, 10);
///
/// Arguments are converted to the function's parameters here and arrive as
/// copies there; what cannot be sent does not compile. The process is a daemon
/// of the calling one: it ends when its actors have ended, and no later than
/// the process that made it, or the run. The actor ends when nobody in any
/// process refers to it any more, as CAF's do; `await_actors` waits for it.
/// Throws `process_died` and `remote_error` as `host::spawn`, `limit_reached`.
/// @blocks on the new process: until the function has returned, some
///         milliseconds
template <auto F, class... Args>
  requires(!runtime::names_place<Args...>)
auto spawn(Args&&... args) {
  return runtime::place<runtime::from_function<F>>(placement::own_process,
                                                   std::forward<Args>(args)...);
}

/// The same where `where` says.
template <auto F, class... Args>
auto spawn(placement where, Args&&... args) {
  return runtime::place<runtime::from_function<F>>(where,
                                                   std::forward<Args>(args)...);
}

/// The same in a host that carries several actors.
template <auto F, class... Args>
auto spawn(host& where, Args&&... args) {
  return where.spawn<F>(std::forward<Args>(args)...);
}

/// Makes an actor of class `Actor`, whose constructor takes the configuration
/// and these arguments.
template <class Actor, class... Args>
  requires(!runtime::names_place<Args...>)
auto spawn(Args&&... args) {
  using recipe = runtime::from_class<Actor, stored<Args>...>;
  return runtime::place<recipe>(placement::own_process,
                                std::forward<Args>(args)...);
}

template <class Actor, class... Args>
auto spawn(placement where, Args&&... args) {
  using recipe = runtime::from_class<Actor, stored<Args>...>;
  return runtime::place<recipe>(where, std::forward<Args>(args)...);
}

template <class Actor, class... Args>
auto spawn(host& where, Args&&... args) {
  return where.spawn<Actor>(std::forward<Args>(args)...);
}

/// Makes an actor of a lambda without captures.
template <calls::captureless_lambda F, class... Args>
auto spawn(F, Args&&... args) {
  return runtime::place<runtime::from_lambda<F>>(placement::own_process,
                                                 std::forward<Args>(args)...);
}

template <calls::captureless_lambda F, class... Args>
auto spawn(placement where, F, Args&&... args) {
  return runtime::place<runtime::from_lambda<F>>(where,
                                                 std::forward<Args>(args)...);
}

template <calls::captureless_lambda F, class... Args>
auto spawn(host& where, F function, Args&&... args) {
  return where.spawn(function, std::forward<Args>(args)...);
}

/// What is no actor, and a compile error that says why.
template <calls::not_nameable F, class... Args>
  requires(!runtime::is_place<F>)
caf::actor spawn(F&&, Args&&...) {
  runtime::refuse_to_spawn<std::remove_cvref_t<F>>();
  return {};
}

template <class Place, calls::not_nameable F, class... Args>
  requires runtime::is_place<Place>
caf::actor spawn(Place&&, F&&, Args&&...) {
  runtime::refuse_to_spawn<std::remove_cvref_t<F>>();
  return {};
}

} // namespace troupe
