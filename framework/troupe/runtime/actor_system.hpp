// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

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
/// that start with `--caf.`, and `configure_actors`. Besides CAF's options there
/// is `troupe.longest-spin`, a time: how long the receiving thread may spin
/// before it sleeps; 50us, and 0s for never.
///
/// It ends with the process, after `main` or the process's function has
/// returned. It does not wait for actors; `await_actors` does. If an actor calls
/// `exit`, or a thread beside the main one, it runs on until the process has
/// ended, and no destructor of a static object runs beside it.
/// Throws `invalid_state` without a `troupe::program`, and during exit.
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

/// Waits until all actors of this process have ended. Actors that an actor of
/// another process may still know count: tell them to end.
/// @blocks on every actor of this process
void await_actors();

} // namespace troupe
