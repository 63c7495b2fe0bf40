// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/parcel.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/heap.hpp>

#include <cstring>
#include <string>

namespace troupe::codec {

namespace {

struct parcel_head {
  std::uint64_t body_size;
  std::uint64_t handle_count;
};

static_assert(sizeof(parcel_head) == 16);

bool fits(const parcel_head& head, std::uint64_t size) noexcept {
  if (size < sizeof head)
    return false;
  const auto room = size - sizeof head;
  return head.handle_count <= room / sizeof(memory::object_id)
         && head.body_size
              <= room - head.handle_count * sizeof(memory::object_id);
}

void dispose(std::byte* payload, std::uint64_t size) noexcept {
  parcel_head head{};
  std::memcpy(&head, payload, sizeof head);
  if (!fits(head, size))
    return;
  const auto* handles
    = reinterpret_cast<const memory::object_id*>(payload + sizeof head);
  for (std::uint64_t at = 0; at < head.handle_count; ++at)
    memory::forget(handles[at]);
}

const bool registered = memory::register_kind(memory::object_kind::parcel,
                                              {.dispose = dispose});

} // namespace

memory::object_id parcel::make(packet& content) {
  static_cast<void>(registered);
  const auto handles = content.handles();
  const auto body = content.content();
  const auto object = memory::reference::create(
    memory::object_kind::parcel,
    sizeof(parcel_head) + handles.size_bytes() + body.size(),
    memory::contents::unspecified);
  if (body.size() >= os::worth_large_pages)
    object.populate();
  const parcel_head head{body.size(), handles.size()};
  auto* at = object.data() + sizeof head;
  if (!handles.empty())
    std::memcpy(at, handles.data(), handles.size_bytes());
  body.copy_to(at + handles.size_bytes());
  std::memcpy(object.data(), &head, sizeof head);
  content.release_handles();
  return memory::send(object);
}

parcel parcel::open(memory::object_id where) {
  return parcel{memory::receive(where, memory::object_kind::parcel)};
}

parcel::parcel(memory::reference held) : held_(std::move(held)) {
  parcel_head head{};
  if (held_.size() >= sizeof head)
    std::memcpy(&head, held_.data(), sizeof head);
  if (!fits(head, held_.size()))
    throw malformed_bytes("open a parcel", "its head names more than its "
                                             + std::to_string(held_.size())
                                             + " bytes hold");
  handles_
    = {reinterpret_cast<const memory::object_id*>(held_.data() + sizeof head),
       head.handle_count};
  body_ = {held_.data() + sizeof head + handles_.size_bytes(), head.body_size};
}

} // namespace troupe::codec
