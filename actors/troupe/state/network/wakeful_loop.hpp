// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/io/network/default_multiplexer.hpp>

namespace troupe::network {

/// CAF's loop of sockets, which looks for news a while before it sleeps: the
/// answer to what was just sent comes soon, and a wake-up costs 25 µs.
class wakeful_loop final : public caf::io::network::default_multiplexer {
public:
  using default_multiplexer::default_multiplexer;
  void run() override;
};

} // namespace troupe::network
