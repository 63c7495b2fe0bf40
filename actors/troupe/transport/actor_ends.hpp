// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace troupe::transport {

/// How the actors of this process have ended, as far as other processes can
/// know them. Who has to hear of an end knows `exports`. All functions may be
/// called from any thread.
///
/// CAF forgets an actor with its end. A monitor, a link or a handle that comes
/// later would find nothing; here it finds the reason.
///
/// # What is kept
/// The reasons of the last `most_remembered` actors that have ended; of an
/// older one it is only known that there is no such actor.
///
/// # What a crash leaves
/// Nothing. A process that ends in order leaves the last reasons in its place
/// of the process table: see `leave` and `left_by`.
class actor_ends {
public:
  static constexpr std::size_t most_remembered = 4096;

  /// The actor has ended.
  void end(caf::actor_id actor, const caf::error& reason);

  /// Returns why the actor has ended; nothing if it lives, has never been
  /// known, or has ended too long ago.
  [[nodiscard]] std::optional<caf::error> reason_of(caf::actor_id actor) const;

  /// Writes the reasons, the last ones first, as far as there is room, where
  /// `left_by` of any process finds them once the calling process is dead.
  /// Reasons that hold handles of actors are left out.
  void leave() const;

  /// Returns the reasons that a process which has ended in order has left of
  /// its actors; none of another process.
  [[nodiscard]] static std::map<caf::actor_id, caf::error>
  left_by(caf::actor_system& system, memory::slot_id process);

private:
  mutable std::mutex mutex_;
  std::unordered_map<caf::actor_id, caf::error> ended_;
  /// Those in `ended_`, the oldest first.
  std::deque<caf::actor_id> order_;
};

/// Stands for an actor of this process that has ended, where somebody has a
/// handle of it: it answers monitors, links and requests as the actor itself
/// would.
class ended_actor final : public version::proxy_base {
public:
  using version::proxy_base::proxy_base;

  /// Answers a request with CAF's error; nothing else is done.
  bool enqueue(caf::mailbox_element_ptr what,
               version::execution_context* context) override;

  const char* name() const override {
    return "troupe.ended";
  }
};

} // namespace troupe::transport
