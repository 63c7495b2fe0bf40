// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/proxy.hpp>

#include <troupe/transport/node.hpp>

#include <caf/system_messages.hpp>

namespace troupe::transport {

proxy::proxy(caf::actor_config& config, transport::node& of,
             std::shared_ptr<peer> home)
  : version::proxy_base(config), node_(of), peer_(std::move(home)) {
}

bool proxy::enqueue(caf::mailbox_element_ptr what,
                    version::execution_context*) {
  if (what->payload.match_elements<caf::exit_msg>())
    forget_link(what->payload.get_as<caf::exit_msg>(0).source);
  return peer_->send(id(), *what);
}

bool proxy::add_backlink(caf::abstract_actor* local) {
  if (!version::proxy_base::add_backlink(local))
    return false;
  node_.receiver().post([&of = node_, to = peer_, self = id(),
                         other = caf::strong_actor_ptr{local->ctrl()}] {
    of.export_actor(other);
    to->send_control(frame_kind::link, {self, other->aid, 0});
  });
  return true;
}

bool proxy::remove_backlink(caf::abstract_actor* local) {
  if (!version::proxy_base::remove_backlink(local))
    return false;
  node_.receiver().post([to = peer_, self = id(), other = local->id()] {
    to->send_control(frame_kind::unlink, {self, other, 0});
  });
  return true;
}

} // namespace troupe::transport
