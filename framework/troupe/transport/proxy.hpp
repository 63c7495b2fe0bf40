// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/peer.hpp>

#include <memory>

namespace troupe::transport {

/// Stands for an actor in another process: an ordinary actor handle whose
/// messages go into the ring to that process.
class proxy final : public version::proxy_base {
public:
  proxy(caf::actor_config& config, transport::node& of,
        std::shared_ptr<peer> home);

  bool enqueue(caf::mailbox_element_ptr what,
               version::execution_context* context) override;

  // Both are called with the locks of this proxy and of `local` held, so what
  // they have to send is left to the hub.
  bool add_backlink(caf::abstract_actor* local) override;
  bool remove_backlink(caf::abstract_actor* local) override;

private:
  transport::node& node_;
  std::shared_ptr<peer> peer_;
};

} // namespace troupe::transport
