// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/process/process.hpp>
#include <troupe/runtime/actor_factory.hpp>
#include <troupe/sync/actor_location.hpp>

#include <caf/actor.hpp>

#include <optional>

namespace troupe::sync {

/// The *services host*: a process of the run that carries the actors of its
/// sync objects, so that they outlive whoever made those.
///
/// It is started when an actor of a sync object is first asked for, by whoever
/// asks, and belongs to the root: it ends with the run. The objects themselves
/// are shared memory and need it for nothing.
///
/// # What a crash leaves
/// Requests that it had not answered fail at once. Whoever asks for an actor
/// next starts it anew. An actor that owns a lock and ends while there is no
/// services host loses the lock when the lock's actor is next asked for, or
/// with its process.
class services {
public:
  /// Returns the host's keeper; starts the host where there is none.
  /// Throws what `host` throws.
  /// @blocks on the new process, some milliseconds
  [[nodiscard]] static caf::actor keeper();

  /// The process, if there is one now.
  [[nodiscard]] static std::optional<process_view> process();

  /// Ends it, if there is one, and waits until it is gone. It is started again
  /// when it is needed.
  static void end();

  /// Returns the actor at `where`, or has `Recipe` make one from `arguments`
  /// in the services host and enters it there.
  template <class Recipe, class... Args>
  [[nodiscard]] static typename Recipe::handle
  find_or_make(actor_location& where, const Args&... args) {
    using handle = typename Recipe::handle;
    for (int attempt = 1;; ++attempt) {
      if (auto found = find(where))
        return caf::actor_cast<handle>(found);
      auto arguments
        = calls::pack_arguments<typename Recipe::signature>(args...);
      // Nothing: the host was killed meanwhile, and is started anew.
      if (auto made = make(runtime::entry_of<Recipe>, arguments, attempt))
        return caf::actor_cast<handle>(made);
    }
  }

  /// Enters an actor of the calling process, the services host. From now on it
  /// ends with the process: who finds it at `where` has no handle before.
  static void enter(actor_location& where, const caf::strong_actor_ptr& actor);

  /// That actor has ended.
  static void leave(actor_location& where, caf::actor_id id) noexcept;

private:
  [[nodiscard]] static caf::strong_actor_ptr find(const actor_location& where);
  [[nodiscard]] static caf::strong_actor_ptr
  make(const runtime::recipe_entry& recipe, codec::packet& arguments,
       int attempt);
};

} // namespace troupe::sync
