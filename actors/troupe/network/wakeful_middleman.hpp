// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/wakeful_loop.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/io/middleman.hpp>

namespace troupe::network {

/// CAF's middleman with our loop. 0.18.7 takes a loop as an argument of `load`,
/// 1.x does not; both take a middleman.
class wakeful_middleman final : public caf::io::middleman {
public:
  explicit wakeful_middleman(caf::actor_system& system)
    : middleman(system), loop_(transport::version::for_loop(system)) {
  }

  static transport::version::system_module*
  make(caf::actor_system& system, transport::version::no_backends = {}) {
    return new wakeful_middleman(system);
  }

  caf::io::network::multiplexer& backend() override {
    return loop_;
  }

private:
  wakeful_loop loop_;
};

} // namespace troupe::network
