// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/actor_control_block.hpp>

#include <mutex>

namespace troupe::transport {

class node;

/// The reading of a handle of one of this process's actors, from before CAF
/// looks the actor up in its registry until after.
///
/// The registry forgets an actor with its end, and CAF would read an empty
/// handle. So an `ended_actor` stands in the registry meanwhile.
class homecoming {
public:
  homecoming(node& of, caf::actor_id actor);
  homecoming(const homecoming&) = delete;
  homecoming& operator=(const homecoming&) = delete;
  ~homecoming();

  /// Returns whether CAF has found an actor; false if that is not certain,
  /// because the actor ended just then: read the handle again.
  [[nodiscard]] bool found();

private:
  node& node_;
  caf::actor_id actor_;
  caf::strong_actor_ptr stand_in_;
  /// The actor is known, and stands in the registry as long as it lives.
  bool lent_ = false;
  /// Held while a stand-in is in the registry.
  std::unique_lock<std::mutex> lock_;
};

} // namespace troupe::transport
