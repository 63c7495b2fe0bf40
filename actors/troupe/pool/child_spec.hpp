// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/child_start.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/supervision/child_policy.hpp>

#include <caf/actor_cast.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

/// What a supervisor knows of a child: Erlang's child specification.
///
///     troupe::child<counter>("counter", 10)
///       .restarted(troupe::restart::transient)
///       .shut_down(troupe::shutdown::within(2s))
///       .named("the counter")
///
/// It stays in the supervisor's process; it is no message.
struct child_spec {
  std::string id;
  /// Makes the child, in a process of its own or wherever it says.
  child_start start = {};
  enum restart restart = restart::permanent;
  class shutdown shutdown = shutdown::within(std::chrono::seconds{5});
  /// Whether the child is a supervisor itself.
  bool supervises = false;
  /// How long a start may take before it counts as failed, and its process is
  /// killed; longer than 0. Nothing: as long as it takes.
  std::optional<std::chrono::nanoseconds> start_limit
    = std::chrono::seconds{30};
  /// Registered for each new actor of the child, for `names::find`, as a
  /// `caf::actor`. Empty: none.
  std::string name = {};

  [[nodiscard]] child_spec restarted(enum restart when) && {
    restart = when;
    return std::move(*this);
  }

  [[nodiscard]] child_spec shut_down(class shutdown how) && {
    shutdown = how;
    return std::move(*this);
  }

  [[nodiscard]] child_spec started_within(std::chrono::nanoseconds limit) && {
    start_limit = limit;
    return std::move(*this);
  }

  [[nodiscard]] child_spec named(std::string whole_run_name) && {
    name = std::move(whole_run_name);
    return std::move(*this);
  }

  /// All but how it is made and what it is called.
  [[nodiscard]] supervision::child_policy policy() const {
    return {id, restart, shutdown, supervises, start_limit};
  }
};

namespace runtime {

/// A process is called like its child, as far as it fits.
[[nodiscard]] inline std::string process_name(const std::string& id) {
  return id.substr(0, std::min<std::size_t>(id.find('\0'), 255));
}

/// The child that `Recipe` makes of `args`, anew at each start. They are
/// converted here, where a literal that does not fit is an error of the caller.
template <class Recipe, class... Args>
[[nodiscard]] child_spec child_of(std::string id, Args&&... args) {
  require_spawnable<Recipe, Args&&...>();
  child_spec result;
  result.id = std::move(id);
  if constexpr (spawnable<Recipe, Args&&...>)
    result.start =
      [name = process_name(result.id),
       values = std::make_shared<const typename Recipe::signature::parameters>(
         calls::keep_arguments<typename Recipe::signature>(
           std::forward<Args>(args)...))](start_watch& watch) {
        auto arguments = codec::encode(*values);
        return caf::actor_cast<caf::actor>(request_own_process(
          entry_of<Recipe>, arguments, name, process_end::not_awaited,
          [&watch](const process_view& made) { watch.has_process(made); }));
      };
  return result;
}

} // namespace runtime

/// A child that is the actor `F(args...)` in a process of its own, as `spawn`
/// makes it; the process is named like the child. What cannot be sent does not
/// compile.
template <auto F, class... Args>
[[nodiscard]] child_spec child(std::string id, Args&&... args) {
  return runtime::child_of<runtime::from_function<F>>(
    std::move(id), std::forward<Args>(args)...);
}

/// The same for an actor of class `Actor`.
template <class Actor, class... Args>
[[nodiscard]] child_spec child(std::string id, Args&&... args) {
  return runtime::child_of<runtime::from_class<Actor, stored<Args>...>>(
    std::move(id), std::forward<Args>(args)...);
}

/// The same for a lambda without captures.
template <calls::captureless_lambda F, class... Args>
[[nodiscard]] child_spec child(std::string id, F, Args&&... args) {
  return runtime::child_of<runtime::from_lambda<F>>(
    std::move(id), std::forward<Args>(args)...);
}

/// What is no actor, and a compile error that says why.
template <calls::not_nameable F, class... Args>
[[nodiscard]] child_spec child(const std::string&, F&&, Args&&...) {
  runtime::refuse_to_spawn<std::remove_cvref_t<F>>();
  return {};
}

} // namespace troupe
