// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/credentials.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/network/wakeful_loop.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <memory>

namespace troupe::network {

/// An actor system of its own for what crosses the network, with CAF's
/// middleman, whose every connection is TLS with one key. No actor of the run
/// lives in it, so none can be reached through it.
class tls_system {
public:
  /// Throws what `credentials` throws.
  tls_system(const key& shared, const limits& bounds);

  tls_system(const tls_system&) = delete;
  tls_system& operator=(const tls_system&) = delete;

  /// Ends its actors, wherever they are.
  ~tls_system();

  [[nodiscard]] caf::actor_system& actors() noexcept {
    return *actors_;
  }

  /// What runs the sockets and the brokers, in one thread.
  [[nodiscard]] wakeful_loop& loop();

  /// The broker that speaks BASP, CAF's protocol, and owns the connections.
  [[nodiscard]] caf::actor basp();

  /// Makes the calling thread forget the system at its end: whoever has made an
  /// actor there is known to it, and CAF's destructor waits for those threads.
  class visit {
  public:
    visit() noexcept = default;
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit();
  };

private:
  class configuration;

  credentials shown_;
  std::unique_ptr<configuration> config_;
  std::unique_ptr<caf::actor_system> actors_;
};

} // namespace troupe::network
