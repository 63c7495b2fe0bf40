// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/actor_ends.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/exports.hpp>
#include <troupe/transport/hub.hpp>
#include <troupe/transport/imports.hpp>
#include <troupe/transport/open_requests.hpp>
#include <troupe/transport/peer.hpp>
#include <troupe/transport/shares.hpp>

#include <caf/actor.hpp>

#include <memory>
#include <mutex>
#include <optional>
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

  /// Says who knows whether a name of the run leads to an actor of this
  /// process, which then does not end although nobody refers to it. Called by
  /// the layer above during static initialisation.
  static bool ask_for_names(bool (*is_named)(caf::actor_id)) noexcept;

  /// A name of that actor was taken away.
  void name_taken(memory::slot_id process, caf::actor_id actor);

  static version::system_module* make(caf::actor_system& system,
                                      version::no_backends = {});

  void init(caf::actor_system_config& config) override;
  void start() override;

  /// Waits until what was sent before is on its way to its readers, and leaves
  /// the reasons of actors that have ended: see `actor_ends::leave`.
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
  /// This process's actors that others know.
  [[nodiscard]] const std::shared_ptr<exports>& exported() const noexcept {
    return exports_;
  }
  /// The actors of others that this process knows.
  [[nodiscard]] imports& imported() noexcept {
    return imports_;
  }
  [[nodiscard]] open_requests& requests() noexcept {
    return requests_;
  }
  [[nodiscard]] actor_ends& ends() noexcept {
    return *ends_;
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

  /// Returns whether there is a peer for a process.
  [[nodiscard]] bool has_peer(memory::slot_id process) const;

  /// True while something waits for room in some ring.
  [[nodiscard]] bool any_congested() const noexcept {
    return congested_.load(std::memory_order_relaxed) > 0;
  }

  /// A peer has come to wait for room, or no longer does.
  void count_congested(int change) noexcept {
    congested_.fetch_add(change, std::memory_order_relaxed);
  }

  /// Returns the handle of an actor in any process, of this one too. An actor
  /// that has ended, or never was, has one as well: it answers as CAF's handle
  /// of an actor that has ended. Nothing for `actor` 0 and for a process that
  /// cannot be.
  [[nodiscard]] caf::strong_actor_ptr actor_in(memory::slot_id process,
                                               caf::actor_id actor);

  /// The same; nothing for an actor of this process that has ended.
  [[nodiscard]] caf::strong_actor_ptr living_actor_in(memory::slot_id process,
                                                      caf::actor_id actor);

  /// Returns the actor, if the bytes are those of a handle of an actor of this
  /// process, as CAF's inspectors write it.
  [[nodiscard]] std::optional<caf::actor_id>
  is_handle_of_own(bytes_view written) const noexcept;

  /// Makes the actor that stands for one of this process that has ended, and
  /// ends it: after that it answers as that one does.
  [[nodiscard]] caf::strong_actor_ptr make_stand_in(caf::actor_id actor);
  void end_stand_in(const caf::strong_actor_ptr& one);

  /// Why an actor of a dead process has ended: the reason that the process has
  /// left, or `death`.
  [[nodiscard]] caf::error reason_in(memory::slot_id process,
                                     caf::actor_id actor,
                                     const caf::error& death);

  /// Makes a local actor findable for other processes as long as it lives, and
  /// notes its end for them. That does not keep it alive.
  void export_actor(const caf::strong_actor_ptr& actor);

  /// From now on an actor of any process ends by itself or with its process,
  /// whoever refers to it.
  void keep(const caf::strong_actor_ptr& actor);

  /// A handle of an actor of any process goes where no process holds it:
  /// returns what keeps it alive there. Empty where there is no room for that,
  /// and the actor is kept.
  [[nodiscard]] memory::reference share_of(const caf::strong_actor_ptr& actor);

  /// The shares of actors of this process.
  [[nodiscard]] shares& own_shares() noexcept {
    return shares_;
  }

  /// Returns an actor of this process that others may know, if it lives.
  [[nodiscard]] caf::strong_actor_ptr local(caf::actor_id actor) const;

  /// Handles of these have just been read by CAF's inspect functions.
  void handles_read(const std::vector<actor_name>& actors);

  /// Returns whether an actor lives in this process.
  [[nodiscard]] bool is_local(const caf::strong_actor_ptr& actor) const {
    return actor->nid == name_;
  }

  /// Everything that waits for that process fails with `reason`: proxies end,
  /// requests are answered, senders wake up. What it holds of this process's
  /// actors is left to the hub: see hub::settle.
  void give_up(peer& of, const caf::error& reason);

  /// `process` has gone away for good; forgets the peer.
  void forget(memory::slot_id process);

  /// Answers a request of which nobody else will.
  void fail_request(const caf::strong_actor_ptr& asker, caf::message_id id,
                    const caf::error& reason);

  /// Fails requests that nobody answers any more.
  void fail_requests(const std::vector<open_requests::lost>& requests);

private:
  [[nodiscard]] caf::strong_actor_ptr make_ended(const caf::node_id& home,
                                                 caf::actor_id actor);

  caf::actor_system& system_;
  memory::slot_id self_;
  caf::node_id name_;
  /// The name as CAF's inspectors write it.
  std::vector<std::byte> written_name_;
  /// CAF's inspect functions look for proxies here; it keeps none for longer
  /// than one message is read.
  caf::proxy_registry proxies_;
  shares shares_;
  /// Shared with actors, which may end after this.
  std::shared_ptr<actor_ends> ends_ = std::make_shared<actor_ends>();
  std::shared_ptr<exports> exports_;
  imports imports_;
  open_requests requests_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<peer>> peers_;
  // A relaxed count: a hint whether to look at the peers at all, under their
  // mutexes.
  std::atomic<int> congested_{0};
  hub hub_;
};

} // namespace troupe::transport
