// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/process/table.hpp>
#include <troupe/sync/lock_handle.hpp>
#include <troupe/sync/owner.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/system_messages.hpp>

#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace troupe::sync {

/// An actor, in any process of the run, as somebody who holds or waits.
struct client {
  owner who;
  memory::slot_id process;
  caf::actor_id id = 0;

  /// Nothing for no actor, and for one of another machine.
  [[nodiscard]] static std::optional<client>
  of(const caf::strong_actor_ptr& actor) {
    if (!actor)
      return std::nullopt;
    return of(actor->nid, actor->aid);
  }

  [[nodiscard]] static std::optional<client> of(const caf::actor_addr& actor) {
    return of(caf::actor_cast<caf::strong_actor_ptr>(actor));
  }

  [[nodiscard]] static std::optional<client> of(const caf::node_id& node,
                                                caf::actor_id id) {
    const auto process = transport::process_of(node);
    if (!process)
      return std::nullopt;
    return client{owner{process->index, id, true}, *process, id};
  }

  [[nodiscard]] bool process_is_alive() const noexcept {
    return hosting::is_alive(process.packed());
  }
};

/// What an actor is told that now owns a lock it did not own before. `row` is
/// the calling process's.
[[nodiscard]] inline grant granted(mutex_word& word, const client& whose,
                                   std::uint32_t row) noexcept {
  word.client().store(whose.id, std::memory_order_release);
  if (word.is_recursive())
    word.set_depth(1);
  const grant result{word.fence(), word.owner_died()};
  // Dead before it had the lock: nobody else would take it from it.
  if (!whose.process_is_alive())
    word.take_from(whose.who, row);
  return result;
}

/// The clients that an actor of this layer monitors, each once.
class client_watch {
public:
  using ended = std::function<void(const client&)>;

  /// From now on `on_end` is called when a watched client has ended.
  void start(ended on_end) {
    on_end_ = std::move(on_end);
  }

  template <class Self>
  void
  watch(Self* self, const caf::strong_actor_ptr& actor, const client& what) {
    if (!known_.try_emplace(caf::actor_cast<caf::actor_addr>(actor), what)
           .second)
      return;
    transport::version::watch(self, caf::actor_cast<caf::actor>(actor),
                              [this](const caf::actor_addr& who,
                                     const caf::error&) { tell(who); });
  }

private:
  void tell(const caf::actor_addr& address) {
    const auto found = known_.find(address);
    if (found == known_.end())
      return;
    const auto gone = found->second;
    known_.erase(found);
    on_end_(gone);
  }

  ended on_end_;
  std::map<caf::actor_addr, client> known_;
};

} // namespace troupe::sync
