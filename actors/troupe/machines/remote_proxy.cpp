// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/remote_proxy.hpp>

#include <troupe/machines/gateway.hpp>

#include <caf/system_messages.hpp>

#include <utility>

namespace troupe::machines {

remote_proxy::remote_proxy(caf::actor_config& config, transport::node& of,
                           std::shared_ptr<gateway> through,
                           std::uint64_t number)
  : proxy_base(config),
    node_(of),
    through_(std::move(through)),
    number_(number) {
}

remote_proxy::~remote_proxy() {
  // The node ends before the last handles do, at the end of a process.
  if (transport::node::current() != &node_)
    return;
  // In whatever thread, and under whatever lock: the hub goes on with it.
  node_.receiver().post(
    [through = through_, number = number_, handles = counted_.load(),
     waiting = std::make_shared<caf::attachable_ptr>(std::move(attached()))] {
      through->proxy_gone(number, handles, std::move(*waiting));
    });
}

bool remote_proxy::enqueue(caf::mailbox_element_ptr what,
                           transport::version::execution_context*) {
  if (what->payload.match_elements<caf::exit_msg>())
    forget_link(what->payload.get_as<caf::exit_msg>(0).source);
  return through_->send(*this, *what);
}

void remote_proxy::end(caf::error why) {
  cleanup(std::move(why), nullptr);
}

} // namespace troupe::machines
