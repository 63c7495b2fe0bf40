// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/hub.hpp>
#include <troupe/transport/open_requests.hpp>
#include <troupe/transport/peer.hpp>

#include <caf/actor.hpp>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace troupe::transport {

/// The calling process among the processes of the run: a module of its actor
/// system that makes handles of actors elsewhere work.
///
/// Load it into a configuration with `load<node>()`. There is at most one in a
/// process.
class node final : public version::module_base,
                   public caf::proxy_registry::backend {
public:
  explicit node(caf::actor_system& system);
  ~node() override;

  /// The calling process's, or nullptr before its actor system exists and
  /// after it has stopped.
  [[nodiscard]] static node* current() noexcept;

  /// The same, and makes the actor system where there is none yet.
  /// Throws `invalid_state` where nobody can make one.
  [[nodiscard]] static node& require();

  /// Says how a process's actor system is made. Called by the layer above
  /// during static initialisation.
  static bool made_by(caf::actor_system& (*maker)()) noexcept;

  /// Says who is told of each process that this one has talked to, once it is
  /// dead and everybody here has heard. Called by the layer above during static
  /// initialisation; `hear` runs in the receiving thread.
  static bool tell_of_deaths(void (*hear)(memory::slot_id)) noexcept;

  static version::system_module* make(caf::actor_system& system,
                                      version::no_backends = {});

  void init(caf::actor_system_config& config) override;
  void start() override;

  /// Waits until what was sent before is on its way to its readers.
  /// @blocks on processes that are slow to read it, for ten seconds at most
  void drain() const;

  /// @blocks as `drain`
  void stop() override;

  /// Called by CAF with its registry locked.
  caf::strong_actor_ptr make_proxy(caf::node_id name,
                                   caf::actor_id actor) override;
  void set_last_hop(caf::node_id*) override {
  }

  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }
  [[nodiscard]] caf::proxy_registry& proxies() noexcept {
    return proxies_;
  }
  [[nodiscard]] open_requests& requests() noexcept {
    return requests_;
  }
  [[nodiscard]] hub& receiver() noexcept {
    return hub_;
  }
  [[nodiscard]] memory::slot_id self() const noexcept {
    return self_;
  }
  [[nodiscard]] const caf::node_id& name() const noexcept {
    return name_;
  }

  /// Returns the peer for a process of the run, made at first use.
  [[nodiscard]] std::shared_ptr<peer> peer_of(memory::slot_id process);

  /// Returns the peers that there are.
  [[nodiscard]] std::vector<std::shared_ptr<peer>> peers() const;

  /// True while something waits for room in some ring.
  [[nodiscard]] bool any_congested() const noexcept {
    return congested_.load(std::memory_order_relaxed) > 0;
  }

  /// A peer has come to wait for room, or no longer does.
  void count_congested(int change) noexcept {
    congested_.fetch_add(change, std::memory_order_relaxed);
  }

  /// Returns the handle of an actor in any process, of this one too; nothing
  /// where that is known to be dead.
  [[nodiscard]] caf::strong_actor_ptr actor_in(memory::slot_id process,
                                               caf::actor_id actor);

  /// Makes a local actor findable for answers from other processes.
  void export_actor(const caf::strong_actor_ptr& actor);

  /// Returns whether an actor lives in this process.
  [[nodiscard]] bool is_local(const caf::strong_actor_ptr& actor) const {
    return actor->nid == name_;
  }

  /// Everything that waits for that process fails with `reason`: proxies end,
  /// requests are answered, senders wake up.
  void give_up(peer& of, const caf::error& reason);

  /// `process` has gone away for good; forgets the peer.
  void forget(memory::slot_id process);

  /// Answers a request of which nobody else will.
  void fail_request(const caf::strong_actor_ptr& asker, caf::message_id id,
                    const caf::error& reason);

private:
  caf::actor_system& system_;
  memory::slot_id self_;
  caf::node_id name_;
  caf::proxy_registry proxies_;
  open_requests requests_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<peer>> peers_;
  std::atomic<int> congested_{0};
  hub hub_;
};

} // namespace troupe::transport
