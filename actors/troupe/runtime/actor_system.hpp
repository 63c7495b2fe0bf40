// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <functional>

namespace troupe {

/// Returns the actor system of the calling process; the first call makes it.
///
/// A process that never uses an actor has none. It is an ordinary
/// `caf::actor_system` that knows the other processes of the run: actors that
/// live in them are ordinary handles.
///
/// It starts with one thread for actors besides the receiving one, which runs
/// most actors itself. CAF's own ways to say otherwise work:
/// `caf-application.conf` in the working directory, arguments of the program
/// that start with `--caf.`, and `configure_actors`. Besides CAF's options
/// there is `troupe.longest-spin`, a time: how long the receiving thread may
/// spin before it sleeps; 50us, and 0s for never.
///
/// It ends with the process, after `main` or the process's function has
/// returned. It does not wait for actors; `await_actors` does. If an actor
/// calls `exit`, or a thread beside the main one, it runs on until the process
/// has ended, and no destructor of a static object runs beside it. Throws
/// `invalid_state` without a `troupe::program`, and during exit.
[[nodiscard]] caf::actor_system& actor_system();

/// Returns whether the calling process has made its actor system.
[[nodiscard]] bool has_actor_system() noexcept;

/// From now on `configure` is called with the configuration before an actor
/// system is made. Where it is called before `troupe::program`, this holds in
/// every process of the run. May be called several times.
///
///     troupe::configure_actors([](caf::actor_system_config& config) {
///       config.set("caf.scheduler.max-threads", 4);
///     });
void configure_actors(std::function<void(caf::actor_system_config&)> configure);

/// Waits until all actors have ended that this process has made: those that
/// live in it, whoever in it has made them, and those that it has made by
/// `spawn` and `host::spawn` in other processes. What stands at the end of a
/// CAF program's `main` in its system's destructor. A process that `spawn` has
/// made for an actor ends with the last actor that lives in it, and is waited
/// for: by then what its actors have printed by `caf::aout` is written.
///
/// An actor ends by itself, when it is told to, with its process, or when
/// nobody refers to it any more, in whatever process. So drop your handles
/// first, as by leaving the function that had them, and each
/// `caf::scoped_actor`, which is an actor as well. Actors of Troupe's own that
/// live in this process, such as a pool's, count: end the pool first. Not
/// waited for: children of supervisors, which end with those, and actors that
/// other processes have made in hosts or in processes of their own. Not to be
/// called by an actor, which would wait for itself.
/// @blocks on all these actors
void await_actors();

/// The same until `limit` at most. Returns whether all have ended.
[[nodiscard]] bool await_actors(deadline limit);

/// The same for `limit` at most.
template <class Rep, class Period>
[[nodiscard]] bool
await_actors_for(const std::chrono::duration<Rep, Period>& limit) {
  return await_actors(deadline::after(limit));
}

/// The same until `limit` at most.
template <class Clock, class Duration>
[[nodiscard]] bool
await_actors_until(const std::chrono::time_point<Clock, Duration>& limit) {
  return await_actors(deadline::at(limit));
}

namespace runtime {

/// `await_actors` waits for this actor of another process, which the calling
/// process has made. Returns it.
[[nodiscard]] caf::strong_actor_ptr awaited(caf::strong_actor_ptr made);

} // namespace runtime

} // namespace troupe
