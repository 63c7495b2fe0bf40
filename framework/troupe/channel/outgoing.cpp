// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/outgoing.hpp>

#include <troupe/base/object_of_this_thread.hpp>

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

} // namespace

outgoing::outgoing() noexcept : packet_(&spare_) {
  auto* mine = object_of_this_thread<lending>();
  if (mine != nullptr && !std::exchange(mine->lent, true))
    packet_ = &mine->packet;
}

outgoing::~outgoing() {
  const bool large = packet_->body().size() > most_kept;
  packet_->clear();
  if (packet_ == &spare_)
    return;
  if (large)
    *packet_ = codec::packet{};
  object_of_this_thread<lending>()->lent = false;
}

} // namespace troupe::channel
