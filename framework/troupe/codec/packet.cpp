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

void packet::carry(std::span<const memory::reference> objects) {
  // First the room: once a handle is in flight nothing may throw.
  handles_.reserve(handles_.size() + objects.size());
  for (const auto& each : objects)
    handles_.push_back(memory::send(each));
}

std::vector<memory::reference> objects_of(const packet& of) {
  std::vector<memory::reference> result;
  result.reserve(of.handles().size());
  for (const auto where : of.handles())
    result.push_back(memory::reference::attach(where, memory::kind_of(where)));
  return result;
}

std::vector<memory::object_id>
shares_of(std::span<const memory::reference> objects) {
  std::vector<memory::object_id> result;
  result.reserve(objects.size());
  for (const auto& each : objects)
    result.push_back(memory::send(each));
  return result;
}

} // namespace troupe::codec
