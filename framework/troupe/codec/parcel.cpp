// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/parcel.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/heap.hpp>

#include <cstring>
#include <string>

namespace troupe::codec {

memory::reference parcel::make(const packet& content) {
  const auto body = content.content();
  const auto size = std::uint64_t{body.size()};
  auto object = memory::reference::create_with_shares(
    memory::object_kind::parcel, sizeof size + size, content.handles(),
    memory::contents::unspecified);
  if (size >= os::worth_large_pages)
    object.populate();
  auto* at = object.behind_shares().data();
  std::memcpy(at, &size, sizeof size);
  body.copy_to(at + sizeof size);
  return object;
}

parcel parcel::open(memory::object_id where) {
  return parcel{memory::reference::attach(where, memory::object_kind::parcel)};
}

parcel::parcel(memory::reference held)
  : held_(std::move(held)), handles_(held_.shared_ids()) {
  const auto rest = held_.behind_shares();
  std::uint64_t size = 0;
  if (rest.size() >= sizeof size)
    std::memcpy(&size, rest.data(), sizeof size);
  if (rest.size() < sizeof size || size > rest.size() - sizeof size)
    throw malformed_bytes("open a parcel", "its head names more than its "
                                             + std::to_string(held_.size())
                                             + " bytes hold");
  body_ = rest.subspan(sizeof size, size);
}

} // namespace troupe::codec
