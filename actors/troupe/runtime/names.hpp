// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/codec/type_name.hpp>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>

#include <chrono>
#include <optional>
#include <string_view>

/// Names of actors, for the whole run: one process registers an actor, any
/// other looks it up or waits for it, and reaches it directly.
///
///     troupe::names::set("bank", bank);
///     ...
///     if (auto bank = troupe::names::wait_for("bank", 2s))
///
/// A name is given back when it is erased, when its actor ends, or when the
/// process of the actor dies, however it dies.
///
/// # What a crash leaves
/// Nothing: a name is visible when all of it is written, and the name of a dead
/// process counts as free.
namespace troupe::names {

/// The longest name, in bytes.
inline constexpr std::size_t longest = 216;

/// The part that knows no types.
struct untyped {
  static void set(std::string_view name, const caf::strong_actor_ptr& actor,
                  std::string_view type);
  [[nodiscard]] static caf::strong_actor_ptr
  wait(std::string_view name, std::string_view type, deadline limit);
};

/// Registers `actor`, of any process of the run, under `name`.
/// Throws `invalid_state` if the name belongs to another living actor,
/// `invalid_argument` (an empty or too long name, an empty handle),
/// `limit_reached` (1024 names).
template <class Handle>
void set(std::string_view name, const Handle& actor) {
  untyped::set(name, caf::actor_cast<caf::strong_actor_ptr>(actor),
               codec::type_name<Handle>());
}

/// Returns the actor of that name, if there is one now. Throws
/// `invalid_argument` if it was registered as a handle of another type.
template <class Handle = caf::actor>
[[nodiscard]] std::optional<Handle> find(std::string_view name) {
  if (auto found = untyped::wait(name, codec::type_name<Handle>(),
                                 deadline::now()))
    return caf::actor_cast<Handle>(found);
  return std::nullopt;
}

/// Waits until there is one, at most for `limit`.
/// @blocks on whoever registers the name
template <class Handle = caf::actor, class Rep, class Period>
[[nodiscard]] std::optional<Handle>
wait_for(std::string_view name,
         const std::chrono::duration<Rep, Period>& limit) {
  if (auto found = untyped::wait(name, codec::type_name<Handle>(),
                                 deadline::after(limit)))
    return caf::actor_cast<Handle>(found);
  return std::nullopt;
}

template <class Handle = caf::actor, class Clock, class Duration>
[[nodiscard]] std::optional<Handle>
wait_until(std::string_view name,
           const std::chrono::time_point<Clock, Duration>& limit) {
  if (auto found = untyped::wait(name, codec::type_name<Handle>(),
                                 deadline::at(limit)))
    return caf::actor_cast<Handle>(found);
  return std::nullopt;
}

/// Takes the name away. Returns false if nobody had it.
bool erase(std::string_view name);

} // namespace troupe::names
