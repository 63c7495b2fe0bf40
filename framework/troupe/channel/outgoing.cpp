// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/outgoing.hpp>

#include <cstddef>
#include <utility>

namespace troupe::channel {

namespace {

/// A thread keeps no more than this for its next message.
constexpr std::size_t most_kept = 4 << 20;

struct lending {
  codec::packet packet;
  bool lent = false;
};

lending& of_this_thread() noexcept {
  thread_local lending mine;
  return mine;
}

} // namespace

outgoing::outgoing() noexcept : packet_(&spare_) {
  auto& mine = of_this_thread();
  if (!std::exchange(mine.lent, true))
    packet_ = &mine.packet;
}

outgoing::~outgoing() {
  const bool large = packet_->body().size() > most_kept;
  packet_->clear();
  if (packet_ == &spare_)
    return;
  if (large)
    *packet_ = codec::packet{};
  of_this_thread().lent = false;
}

} // namespace troupe::channel
