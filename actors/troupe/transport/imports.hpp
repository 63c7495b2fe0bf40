// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node_name.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::transport {

class node;
class peer;
class proxy;

/// The proxies of this process: one for each actor elsewhere of which somebody
/// here has a handle.
///
/// A proxy lives as long as there are handles of it. When the last is gone, the
/// actor's process is told. What waits for the actor's end, monitors and links,
/// waits on without the proxy: in CAF, too, these do not keep an actor alive.
///
/// All functions may be called from any thread; none calls CAF's registries.
class imports {
public:
  explicit imports(node& of) : node_(of) {
  }

  /// How this process comes to a handle.
  enum class origin : std::uint8_t {
    /// From the actor's own process, which has counted it.
    its_process,
    /// From elsewhere: the actor's process has to be told.
    elsewhere,
  };

  /// Returns the handle of an actor in another process.
  [[nodiscard]] caf::strong_actor_ptr obtain(actor_name of, origin from);

  /// The same where there is a handle already; else nothing.
  [[nodiscard]] caf::strong_actor_ptr find(actor_name of) const;

  /// The actor has ended, for `why`.
  void ended(actor_name of, const caf::error& why);

  /// Each actor of that process has, for what `why` says.
  void process_ended(memory::slot_id process,
                     const std::function<caf::error(caf::actor_id)>& why);

  /// All have, as far as this process can say any more.
  void end_all(const caf::error& why);

  /// An actor here is not linked to that one any more.
  void unlink(actor_name of, const caf::strong_actor_ptr& local);

  /// A proxy is being destroyed: `waiting` is what waits for the actor's end.
  void dropped(actor_name of, const caf::actor_control_block* which,
               caf::attachable_ptr waiting);

  /// Whether something waits for the actor's end without a proxy.
  [[nodiscard]] bool waits(actor_name of) const;

  /// A message of `from` has brought handles: calls `then` once the processes
  /// of all of these actors know that this one holds them.
  void when_known(const std::vector<actor_name>& actors,
                  std::function<void()> then);

  /// Waits until the actor's process knows that this one holds it. False if the
  /// limit comes first.
  /// @blocks on the receiving thread of the actor's process
  bool await_known(actor_name of, deadline limit);

  /// The actor's process knows, or never will.
  void known(actor_name of);

  /// Proxies, and actors that are waited for without one. For tests.
  [[nodiscard]] std::size_t size() const;

private:
  using key = std::pair<std::uint64_t, caf::actor_id>;
  using block = const caf::actor_control_block*;

  struct entry {
    /// Of the proxy; of none where only the rest is needed.
    caf::weak_actor_ptr actor;
    /// Earlier proxies that are being destroyed, for which `dropped` will be
    /// called.
    std::vector<block> going;
    /// What waits for the actor's end since the last proxy is gone.
    caf::attachable_ptr waiting;
    /// The actor's process has counted the proxy that there is.
    bool counted = false;
    /// Frames `watch` that it has not answered.
    std::uint32_t unanswered = 0;
    /// Let go of once it knows.
    std::vector<std::shared_ptr<void>> told;

    [[nodiscard]] bool known() const noexcept {
      return counted || unanswered == 0;
    }
    [[nodiscard]] bool needed() const noexcept {
      return actor != nullptr || waiting != nullptr || unanswered != 0;
    }
  };

  static key key_of(actor_name of) noexcept {
    return {of.process.packed(), of.actor};
  }

  /// What has to be done for the end of an actor, without the lock.
  struct ending {
    caf::strong_actor_ptr proxy;
    entry rest;
  };

  [[nodiscard]] ending begin_end(entry which, const caf::error& why);
  static void end(ending what, const caf::error& why);

  node& node_;
  mutable std::mutex mutex_;
  std::map<key, entry> entries_;
  /// Proxies that were being destroyed when their actors ended, for what.
  std::map<block, caf::error> late_;
};

} // namespace troupe::transport
