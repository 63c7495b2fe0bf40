// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/packet.hpp>

namespace troupe::codec {

packet& packet::operator=(packet&& other) noexcept {
  if (this != &other) {
    clear();
    body_ = std::move(other.body_);
    other.body_.clear();
    handles_.swap(other.handles_);
    objects_.swap(other.objects_);
    lent_.swap(other.lent_);
  }
  return *this;
}

void packet::add(const memory::reference& object) {
  objects_.push_back(object);
  handles_.push_back(object.id());
}

void packet::carry(std::span<const memory::reference> objects) {
  for (const auto& each : objects)
    add(each);
}

std::vector<memory::object_id>
handles_of(std::span<const memory::reference> objects) {
  std::vector<memory::object_id> result;
  result.reserve(objects.size());
  for (const auto& each : objects)
    result.push_back(each.id());
  return result;
}

} // namespace troupe::codec
