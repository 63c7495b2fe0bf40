// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/peer.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::transport {

/// Stands for an actor in another process: an ordinary actor handle whose
/// messages go into the ring to that process.
///
/// It knows how many handles of the actor have come here for it from the
/// actor's process, and says so when nobody here refers to it any more.
class proxy final : public version::proxy_base {
public:
  proxy(caf::actor_config& config, transport::node& of,
        std::shared_ptr<peer> home);

  ~proxy() override;

  bool enqueue(caf::mailbox_element_ptr what,
               version::execution_context* context) override;

  // Both are called with the locks of this proxy and of `local` held, so what
  // they have to send is left to the hub, or to whoever sends an exit message
  // before: the actor behind this proxy hears of a link before it hears that
  // the other side has ended.
  bool add_backlink(caf::abstract_actor* local) override;
  bool remove_backlink(caf::abstract_actor* local) override;

  /// The actor behind this proxy links to `local`, or no longer does. For the
  /// receiving thread.
  void link_from_afar(const caf::strong_actor_ptr& local);
  void unlink_from_afar(const caf::strong_actor_ptr& local);

  /// CAF's registry lets go of a proxy, whose actor goes on: see imports.hpp.
  void kill_proxy(version::execution_context*, caf::error) override {
  }

  /// So many more handles have come. The caller holds one.
  void count(std::uint64_t handles) noexcept {
    // relaxed: the destructor runs after all who held one.
    counted_.fetch_add(handles, std::memory_order_relaxed);
  }

  /// The actor has ended.
  void end(caf::error why);

private:
  /// A link of `local` that the other side has to hear of; empty: of its end.
  struct change {
    caf::actor_id local;
    caf::strong_actor_ptr linked;
  };

  [[nodiscard]] bool is_told_of_link(const caf::strong_actor_ptr& sender,
                                     const caf::actor_addr& source) const;
  void announce(change what);
  void send_changes();

  transport::node& node_;
  std::shared_ptr<peer> peer_;
  // `counted_`: relaxed in `count`. `ended_`: seq_cst in `end`. Both are read
  // by the destructor, which CAF's count of references orders behind all who
  // held it.
  std::atomic<std::uint64_t> counted_{0};
  std::atomic<bool> ended_{false};
  /// Held while changes are sent, so that they are sent in order.
  std::mutex sending_;
  /// Protects `changes_`, and is the last lock that is taken.
  std::mutex mutex_;
  std::vector<change> changes_;
};

} // namespace troupe::transport
