// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/packet.hpp>

namespace troupe::channel {

/// A packet borrowed from the calling thread, so that a put allocates nothing.
/// Empty at first; what is left in it is given up with the loan.
class outgoing {
public:
  outgoing() noexcept;
  outgoing(const outgoing&) = delete;
  outgoing& operator=(const outgoing&) = delete;
  ~outgoing();

  [[nodiscard]] codec::packet& packet() noexcept {
    return *packet_;
  }

private:
  // For when the thread's own is lent already: a put inside of a put.
  codec::packet spare_;
  codec::packet* packet_;
};

} // namespace troupe::channel
