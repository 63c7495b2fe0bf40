// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/machines/machines.hpp>
#include <troupe/runtime/spawn.hpp>

#include <doctest/doctest.h>

#include <span>
#include <utility>

/// Where the actors of these programs live. A run of a test has the first two
/// places; one that leads (`--troupe.listen=127.0.0.1:0`, with a key) has the
/// third.

namespace conformance {

enum class place { here, own_process, machine };

/// The places that every test of this run runs in.
[[nodiscard]] std::span<const place> places();

[[nodiscard]] const char* name_of(place where);

/// This program once more, as a machine of this run; started at the first call,
/// and gone with this run.
[[nodiscard]] troupe::machine other_machine();

/// Runs what follows in each place.
#define EACH_PLACE(where)                                                      \
  for (const auto where : conformance::places())                               \
  DOCTEST_SUBCASE(conformance::name_of(where))

/// Of one in this run.
[[nodiscard]] constexpr troupe::placement placement_of(place where) noexcept {
  return where == place::here ? troupe::placement::here
                              : troupe::placement::own_process;
}

/// Makes an actor there, each in a process of its own but `here`.
template <auto F, class... Args>
auto spawn_at(place where, Args&&... args) {
  if (where == place::machine)
    return other_machine().spawn<F>(std::forward<Args>(args)...);
  return troupe::spawn<F>(placement_of(where), std::forward<Args>(args)...);
}

template <class Actor, class... Args>
auto spawn_at(place where, Args&&... args) {
  if (where == place::machine)
    return other_machine().spawn<Actor>(std::forward<Args>(args)...);
  return troupe::spawn<Actor>(placement_of(where), std::forward<Args>(args)...);
}

template <troupe::calls::captureless_lambda F, class... Args>
auto spawn_at(place where, F function, Args&&... args) {
  if (where == place::machine)
    return other_machine().spawn(function, std::forward<Args>(args)...);
  return troupe::spawn(placement_of(where), function,
                       std::forward<Args>(args)...);
}

/// Why a case has nothing to do on a machine.
namespace not_on_machines {

inline constexpr const char* hosts
  = "its actors share processes that it kills: `host`, which is made at home";
inline constexpr const char* memory
  = "it gives actors queues or bundles, which are memory of one machine";
inline constexpr const char* children
  = "it is about what processes of this run leave when they end";
inline constexpr const char* home = "it is about actors that this process "
                                    "makes in its own run, or about its own "
                                    "tables of them";

} // namespace not_on_machines

/// Whether this run is about machines, so that such a case has been seen in the
/// other; says why.
[[nodiscard]] bool is_elsewhere(const char* why);

/// Ends a case that is of no use on a machine, where that is what runs.
#define NOT_ON_MACHINES(why)                                                   \
  if (conformance::is_elsewhere(conformance::not_on_machines::why))            \
  return

} // namespace conformance
