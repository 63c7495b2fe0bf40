// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/state/network/listener.hpp>
#include <troupe/state/serving.hpp>
#include <troupe/state/state.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

namespace network {

namespace {

/// What a state's process is told to do.
struct order {
  std::string host;
  std::uint16_t port;
  std::string secret;
  std::int64_t silence;
  std::int64_t handshake;
  std::uint32_t strangers;
  std::uint32_t clients;
};

std::vector<std::unique_ptr<listener>>& listeners() {
  static auto& all = *new std::vector<std::unique_ptr<listener>>;
  return all;
}

service of_this_state() {
  return {[](std::uint64_t client, bytes_view request,
             service::reply_function reply) {
            held::serve(client, request, std::move(reply));
          },
          [](std::uint64_t client) { held::client_gone(client); }};
}

std::uint16_t publish_here(const order& what) {
  state::offer<held::itself, &held::itself::bind, &held::itself::find,
               &held::itself::unbind, &held::itself::size>();
  const limits bounds{std::chrono::milliseconds{what.silence},
                      std::chrono::milliseconds{what.handshake}, what.strangers,
                      what.clients};
  auto made = std::make_unique<listener>(address{what.host, what.port},
                                         key{what.secret}, of_this_state(),
                                         bounds);
  const auto port = made->where().port();
  if (listeners().empty())
    held::table::here().at_end([] { listeners().clear(); });
  listeners().push_back(std::move(made));
  return port;
}

} // namespace

} // namespace network

network::address state::publish(const network::address& where,
                                const network::key& shared,
                                const network::limits& bounds) const {
  try {
    const auto port = run<&network::publish_here>(
      network::order{where.host(), where.port(), std::string{shared.reveal()},
                     bounds.silence.count(), bounds.handshake.count(),
                     bounds.strangers, bounds.clients});
    return {where.host(), port};
  } catch (const error& refused) {
    if (refused.code() == errc::os_failure)
      throw error_of<errc::os_failure>("publish a state", refused.what());
    throw;
  }
}

} // namespace troupe
