// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <cstddef>
#include <deque>
#include <mutex>

namespace troupe::supervision {

/// The actors that have linked to a supervisor and have ended: Erlang's rule
/// for the exit of one that is neither its child nor its owner. Such an end
/// does not concern the supervisor, whatever its reason, nor does any normal
/// exit. What remains are exit messages that tell the supervisor to end.
///
/// Any thread.
class partners {
public:
  /// Returns whether the supervisor is to do nothing at this message: it is the
  /// end of a linked actor, or a normal one. Gives up the link.
  template <class Self>
  [[nodiscard]] bool is_end_of_one(Self& self, const caf::exit_msg& told) {
    const bool from_other = told.source && told.source != self.address()
                            && told.source.id() != 0;
    if (from_other && was_linked(self, told.source)) {
      // On the other side, too: a death would be told once more.
      self.unlink_from(told.source);
      note(told.source);
      return true;
    }
    return !told.reason || (from_other && is_noted(told.source));
  }

private:
  /// A process that is congested may tell of one end twice, and not of more
  /// ends than this in between.
  static constexpr std::size_t most = 256;

  [[nodiscard]] static bool was_linked(caf::abstract_actor& self,
                                       const caf::actor_addr& other);
  void note(const caf::actor_addr& ended);
  [[nodiscard]] bool is_noted(const caf::actor_addr& one) const;

  mutable std::mutex mutex_;
  std::deque<caf::actor_addr> ended_;
};

} // namespace troupe::supervision
