// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/message.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace troupe {

/// A message that found no actor.
struct dead_letter {
  /// Whom it was for.
  caf::actor_id target = 0;
  /// Who sent it, if anybody who can be told.
  caf::strong_actor_ptr sender;
  /// What it said; empty where its bytes could not be read or were not kept.
  caf::message content;
  /// Why it found nobody.
  std::string reason;
};

/// Returns how many messages that crossed, or should have crossed, to another
/// process have found no actor so far, as far as this process knows.
[[nodiscard]] std::uint64_t dead_letters() noexcept;

/// From now on calls `hook` for each of them, after counting it, in the thread
/// that noticed: it must be quick and must not block. Replaces the hook before;
/// an empty one ends it.
void on_dead_letter(std::function<void(const dead_letter&)> hook);

namespace transport {

/// Counts a dead letter and calls the hook.
void report_dead_letter(const dead_letter& message) noexcept;

/// Counts `number` dead letters whose contents are gone.
void count_dead_letters(std::uint64_t number) noexcept;

} // namespace transport

} // namespace troupe
