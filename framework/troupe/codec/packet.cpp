// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/packet.hpp>

namespace troupe::codec {

packet& packet::operator=(packet&& other) noexcept {
  if (this != &other) {
    clear();
    body_ = std::move(other.body_);
    other.body_.clear();
    handles_.swap(other.handles_);
    lent_.swap(other.lent_);
  }
  return *this;
}

void packet::clear() noexcept {
  body_.clear();
  lent_.clear();
  for (const auto where : handles_)
    memory::forget(where);
  handles_.clear();
}

} // namespace troupe::codec
