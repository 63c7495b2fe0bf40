// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/machines/gateway.hpp>
#include <troupe/machines/messages.hpp>

#include <caf/actor_control_block.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// How the lead's root serves processes that are not it: those of its run, and
/// of the runs of machines. They send its actor, the *service*, these messages:
///
///     get_atom                          → string: `machine_list`
///     wait_for_atom, string: `wished`   → the same, when it is so
///     open_atom, string: `start_request`, handles, asker → uint64, the call's id
///     update_atom, uint64, int32        sends that call a signal
///     spawn_atom, string: `spawn_request`, handles       → strong_actor_ptr
///
/// What became of a call is told to its asker, an actor of the process that has
/// started it:
///
///     update_atom, string: `outcome_note`, handles       → ok_atom
///     close_atom, string                why it is lost
///
/// A call whose asker has ended before is killed (SIGKILL): that happens when
/// its process dies. The strings are what the codec writes.
namespace troupe::machines {

struct machine_facts {
  std::uint64_t number = 0;
  std::string name;
  std::vector<std::string> labels;
  std::uint64_t processors = 0;
  std::uint64_t memory = 0;
};

struct machine_list {
  /// Where the lead listens.
  std::string address;
  std::vector<machine_facts> there;
};

/// One of that name; without a name so many.
struct wished {
  std::optional<std::string> name;
  std::uint64_t count = 0;
};

/// Whether machines, or what points to them, are as somebody waits for.
template <class Machines>
[[nodiscard]] bool are_as_wished(const Machines& there, const wished& what) {
  if (!what.name)
    return there.size() >= what.count;
  return std::any_of(there.begin(), there.end(), [&](const auto& each) {
    return each->name() == *what.name;
  });
}

struct start_request {
  std::uint64_t machine = 0;
  start_order what;
  /// Where handles belong in its arguments.
  std::vector<std::uint64_t> places;
};

struct spawn_request {
  std::uint64_t machine = 0;
  spawn_order what;
  std::vector<std::uint64_t> places;
};

struct outcome_note {
  ended_note ended;
  /// Where handles belong in its result.
  std::vector<std::uint64_t> places;
};

/// As the messages carry them.
template <class T>
[[nodiscard]] std::string as_text(const T& what) {
  const auto packed = codec::encode(what);
  const auto body = packed.body();
  return {reinterpret_cast<const char*>(body.data()), body.size()};
}

template <class T>
[[nodiscard]] T from_text(const std::string& what) {
  return codec::decode<T>(std::as_bytes(std::span{what}));
}

/// The service of this process, which leads; made at the first call. Any
/// thread. Nothing when this process is about to end.
[[nodiscard]] caf::strong_actor_ptr service_of_lead();

} // namespace troupe::machines
