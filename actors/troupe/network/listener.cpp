// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/listener.hpp>

#include <troupe/network/desk.hpp>
#include <troupe/network/door.hpp>
#include <troupe/network/gate.hpp>
#include <troupe/network/messages.hpp>
#include <troupe/network/tls_doorman.hpp>
#include <troupe/network/tls_system.hpp>

#include <caf/actor_cast.hpp>
#include <caf/io/middleman.hpp>

#include <set>
#include <string>
#include <utility>

namespace troupe::network {

struct listener::parts {
  parts(const key& shared, service what, const limits& bounds, address at)
    : entrance(std::make_shared<gate>(bounds, std::move(at))),
      requests(std::make_shared<desk>(std::move(what))),
      system(std::make_unique<tls_system>(shared, bounds)) {
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  ~parts() {
    entrance->close();
    requests->stop();
    if (published)
      caf::anon_send_exit(published, caf::exit_reason::user_shutdown);
    // Every session ends with the door, and then nobody answers any more.
    requests->close();
  }

  std::shared_ptr<gate> entrance;
  std::shared_ptr<desk> requests;
  std::unique_ptr<tls_system> system;
  caf::actor published;
};

listener::listener(const address& where, const key& shared, service what,
                   const limits& bounds)
  : where_(where) {
  auto fd = os::listen_tcp(where.host(), where.port());
  where_ = address{where.host(), os::local_port(fd.get())};
  parts_ = std::make_unique<parts>(shared, std::move(what), bounds, where_);
  auto& system = *parts_->system;
  auto& middleman = system.actors().middleman();
  const tls_system::visit visit;
  parts_->published = middleman.spawn_broker(door, parts_->entrance,
                                             parts_->requests, bounds);
  caf::io::doorman_ptr doorman = caf::make_counted<tls_doorman>(
    system.loop(), std::move(fd), parts_->entrance, bounds.silence);
  // What CAF's own `publish` says to this broker.
  transport::version::send_anonymously(
    system.basp(), caf::publish_atom_v, std::move(doorman), where_.port(),
    caf::actor_cast<caf::strong_actor_ptr>(parts_->published),
    std::set<std::string>{});
}

listener::~listener() = default;

std::uint32_t listener::clients() const {
  return parts_->entrance->clients();
}

std::uint32_t listener::strangers() const {
  return parts_->entrance->strangers();
}

} // namespace troupe::network
