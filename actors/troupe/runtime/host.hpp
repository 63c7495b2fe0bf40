// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/process.hpp>
#include <troupe/runtime/actor_factory.hpp>

#include <caf/actor.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace troupe {

namespace runtime {

/// Has the host behind `actor_spawner` make an actor. Takes `arguments` over.
/// Throws what `host::spawn` throws.
[[nodiscard]] caf::strong_actor_ptr
request_actor(const caf::actor& actor_spawner, const recipe_entry& recipe,
              codec::packet& arguments);

/// Whether `await_actors` waits for the end of a process for one actor.
enum class process_end : std::uint8_t { awaited, not_awaited };

/// Starts a process for one actor, which ends with it. `requested` is told of
/// the process before it is waited for, so that another thread can end that.
[[nodiscard]] caf::strong_actor_ptr
request_own_process(const recipe_entry& recipe, codec::packet& arguments,
                    std::string name, process_end end,
                    const std::function<void(const process_view&)>& requested
                    = {});

/// Waits until the awaited ones of these processes have ended: when all actors
/// of theirs have, and what those printed by `aout` is written. Returns false
/// if `limit` passed first.
/// @blocks on these processes
[[nodiscard]] bool await_own_processes(deadline limit);

} // namespace runtime

/// A process that carries actors.
///
///     troupe::host kitchen{"kitchen"};
///     auto cook = kitchen.spawn<cook_behavior>(4);
///
/// The process is a daemon: it ends with the handle, with the process that made
/// it, and with the run, whether its actors have ended or not.
///
/// # What a crash leaves
/// Nothing. If the host is killed, its actors are dead: whoever monitors or
/// links to one of them, or waits for its answer, hears that within
/// milliseconds, with the signal's name.
class host {
public:
  /// Starts the process. Throws what `troupe::start` throws.
  explicit host(std::string name = {});

  host(host&&) noexcept = default;
  host& operator=(host&&) = default;

  /// Tells the actors of the host to end (`exit_reason::user_shutdown`), and
  /// ends the process.
  /// @blocks on handlers that run, for the run's grace; then it is killed
  ~host();

  /// Makes an actor of function `F` in the host, as `actor_system::spawn` does
  /// here, and returns its handle.
  /// Throws `process_died` when the host is dead, `remote_error` for what the
  /// actor's constructor or function threw.
  /// @blocks on the host: until the actor's function has returned
  template <auto F, class... Args>
  auto spawn(Args&&... args) {
    return request<runtime::from_function<F>>(std::forward<Args>(args)...);
  }

  /// Makes an actor of class `Actor`.
  template <class Actor, class... Args>
  auto spawn(Args&&... args) {
    return request<runtime::from_class<Actor, stored<Args>...>>(
      std::forward<Args>(args)...);
  }

  /// Makes an actor of a lambda without captures.
  template <calls::captureless_lambda F, class... Args>
  auto spawn(F, Args&&... args) {
    return request<runtime::from_lambda<F>>(std::forward<Args>(args)...);
  }

  /// What is no actor, and a compile error that says why.
  template <calls::not_nameable F, class... Args>
  caf::actor spawn(F&&, Args&&...) {
    runtime::refuse_to_spawn<std::remove_cvref_t<F>>();
    return {};
  }

  [[nodiscard]] process_view view() const {
    return runner_.view();
  }

  [[nodiscard]] std::int32_t pid() const {
    return runner_.pid();
  }

  /// SIGKILL: its actors end at once.
  bool kill() const {
    return runner_.kill();
  }

  /// Ends the host as the destructor does.
  void close();

private:
  template <class Recipe, class... Args>
  typename Recipe::handle request(Args&&... args) {
    runtime::require_spawnable<Recipe, Args&&...>();
    if constexpr (runtime::spawnable<Recipe, Args&&...>) {
      auto arguments = calls::pack_arguments<typename Recipe::signature>(
        std::forward<Args>(args)...);
      return caf::actor_cast<typename Recipe::handle>(runtime::awaited(
        runtime::request_actor(actor_spawner(), runtime::entry_of<Recipe>,
                               arguments)));
    } else {
      return {};
    }
  }

  [[nodiscard]] const caf::actor& actor_spawner();

  process runner_;
  caf::actor spawner_;
};

} // namespace troupe
