// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/door.hpp>

#include <troupe/network/messages.hpp>

#include <caf/io/middleman.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

namespace troupe::network {

namespace {

std::uint64_t next_client() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// What a plug talks to. It ends with that, or with the connection, which
/// to CAF is the end of every actor behind it.
caf::behavior session(caf::io::broker* self, std::shared_ptr<desk> requests,
                      std::uint64_t client, caf::actor plug, caf::actor of) {
  const auto end = [self](const caf::actor_addr&, const caf::error& why) {
    self->quit(why);
  };
  transport::version::watch(self, plug, end);
  transport::version::watch(self, of, end);
  self->attach_functor(
    [requests, client](const caf::error&) { requests->post_gone(client); });
  return {
    [self, requests, client, plug](std::uint64_t number, parcel& request) {
      if (requests->serve_now(client, plug, number, request.content))
        return;
      if (!requests->post(client, plug, number, std::move(request.content)))
        self->quit(caf::exit_reason::out_of_workers);
    },
  };
}

} // namespace

caf::behavior door(caf::io::broker* self, std::shared_ptr<gate> at,
                   std::shared_ptr<desk> requests, const limits& bounds) {
  const auto look = std::max(bounds.handshake / 10,
                             std::chrono::milliseconds{1});
  transport::version::send_later(self, look, caf::tick_atom_v);
  const auto sessions = std::make_shared<std::atomic<std::uint32_t>>(0);
  return {
    [self, at, requests, sessions, most = bounds.clients](
      caf::join_atom, const caf::actor& plug) -> caf::result<caf::actor> {
      if (*sessions >= most) {
        at->tell_full();
        return full;
      }
      const auto client = next_client();
      requests->enter(client);
      ++*sessions;
      auto made = self->system().middleman().spawn_broker(session, requests,
                                                          client, plug,
                                                          caf::actor{self});
      made->attach_functor([sessions](const caf::error&) { --*sessions; });
      return made;
    },
    [self, at, look](caf::tick_atom) {
      at->end_overdue();
      transport::version::send_later(self, look, caf::tick_atom_v);
    },
  };
}

} // namespace troupe::network
