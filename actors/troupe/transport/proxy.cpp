// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/proxy.hpp>

#include <troupe/transport/node.hpp>

#include <caf/system_messages.hpp>

namespace troupe::transport {

proxy::proxy(caf::actor_config& config, transport::node& of,
             std::shared_ptr<peer> home)
  : version::proxy_base(config), node_(of), peer_(std::move(home)) {
}

namespace {

/// The calling thread does what the other side has asked for: that one need not
/// hear of it.
thread_local bool as_asked = false;

struct as_asked_scope {
  as_asked_scope() noexcept {
    as_asked = true;
  }
  as_asked_scope(const as_asked_scope&) = delete;
  as_asked_scope& operator=(const as_asked_scope&) = delete;
  ~as_asked_scope() {
    as_asked = false;
  }
};

} // namespace

proxy::~proxy() {
  // The node ends before the last handles do, at the end of a process.
  if (ended_.load() || node::current() != &node_)
    return;
  node_.imported().dropped({peer_->process(), id()}, ctrl(),
                           std::move(attached()));
  // In whatever thread, and under whatever lock: the hub sends it.
  node_.receiver().post(
    [&of = node_, to = peer_, actor = id(), handles = counted_.load()] {
      // Asked here: of several proxies the last one to say so is believed.
      const auto watches = of.imported().waits({to->process(), actor});
      to->send_dropped({actor, handles, watches ? 1U : 0U});
    });
}

bool proxy::enqueue(caf::mailbox_element_ptr what,
                    version::execution_context*) {
  if (what->payload.match_elements<caf::exit_msg>()) {
    send_changes();
    const auto& source = what->payload.get_as<caf::exit_msg>(0).source;
    forget_link(source);
    // The actor hears it by the end of its proxy of `source`, which is linked
    // to it. As a message it would hear it twice.
    if (is_told_of_link(what->sender, source))
      return true;
  }
  return peer_->send(id(), *what);
}

/// Whether an exit message is CAF's, for the end of an actor of this process
/// that is linked to this one: from that actor, or from nobody if only its
/// address is left.
bool proxy::is_told_of_link(const caf::strong_actor_ptr& sender,
                            const caf::actor_addr& source) const {
  if (source.node() != node_.system().node() || source == address())
    return false;
  if (sender)
    return sender.get() == source.get()
           && sender->get()->getf(is_terminated_flag);
  return caf::actor_cast<caf::strong_actor_ptr>(source) == nullptr;
}

bool proxy::add_backlink(caf::abstract_actor* local) {
  // CAF would tell `local` of the end here, under its lock, which it may want.
  if (as_asked && getf(is_terminated_flag))
    return false;
  if (!version::proxy_base::add_backlink(local))
    return false;
  if (!as_asked)
    announce({local->id(), caf::strong_actor_ptr{local->ctrl()}});
  return true;
}

bool proxy::remove_backlink(caf::abstract_actor* local) {
  if (!version::proxy_base::remove_backlink(local))
    return false;
  if (!as_asked)
    announce({local->id(), nullptr});
  return true;
}

void proxy::announce(change what) {
  {
    const std::scoped_lock guard{mutex_};
    changes_.push_back(std::move(what));
  }
  node_.receiver().post([self = caf::strong_actor_ptr{ctrl()}] {
    static_cast<proxy*>(self->get())->send_changes();
  });
}

void proxy::send_changes() {
  const std::scoped_lock sending{sending_};
  std::vector<change> changes;
  {
    const std::scoped_lock guard{mutex_};
    changes.swap(changes_);
  }
  for (const auto& each : changes) {
    if (each.linked)
      peer_->send_link(id(), each.linked);
    else
      peer_->send_control(frame_kind::unlink, {id(), each.local, 0});
  }
}

void proxy::link_from_afar(const caf::strong_actor_ptr& local) {
  {
    const as_asked_scope scope;
    version::link(local, *this);
  }
  if (getf(is_terminated_flag))
    attach_functor([local, self = address()](const caf::error& reason) {
      local->enqueue(
        version::make_element(nullptr, caf::make_message_id(), {},
                              caf::make_message(caf::exit_msg{self, reason})),
        nullptr);
    });
}

void proxy::unlink_from_afar(const caf::strong_actor_ptr& local) {
  const as_asked_scope scope;
  version::unlink(local, *this);
}

void proxy::end(caf::error why) {
  ended_.store(true);
  cleanup(std::move(why), nullptr);
}

} // namespace troupe::transport
