// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/byte_writer.hpp>

#include <troupe/mailbox/copy_into_ring.hpp>

#include <algorithm>

namespace troupe::transport {

bool byte_writer::grow(std::size_t more) {
  if (growing_ == nullptr)
    return false;
  const auto used = written();
  growing_->resize(std::max(used + more, growing_->size() * 2));
  first_ = growing_->data();
  at_ = first_ + used;
  last_ = first_ + growing_->size();
  return true;
}

void byte_writer::append_many(const void* from, std::size_t size) noexcept {
  mailbox::copy_into_ring(at_, static_cast<const std::byte*>(from), size);
}

} // namespace troupe::transport
