// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/segment.hpp>

#include <troupe/mailbox/copy_into_ring.hpp>

#include <algorithm>
#include <bit>

namespace troupe::mailbox {

namespace {

/// So much is taken back from readers at once: eight lines take hardly longer
/// than one.
constexpr std::uint64_t block = 512;
constexpr std::uint64_t line = 64;

} // namespace

memory::reference segment::make(std::uint64_t wish, std::uint64_t need) {
  // A reader and a writer of large records must not wait for each other.
  const auto capacity = std::bit_ceil(
    std::max({smallest, std::min(wish, largest_record), need * 4}));
  auto made = memory::reference::create(memory::object_kind::segment,
                                        head_size + capacity,
                                        memory::contents::unspecified);
  auto* head = made.as<segment>();
  head->capacity_ = capacity;
  head->consumed_.store(0, std::memory_order_relaxed);
  head->unseal();
  return made;
}

std::uint64_t segment::write(std::uint64_t position, const scattered_view& body,
                             memory::object_id carrier,
                             record_head::kind_of kind,
                             std::uint64_t writer) noexcept {
  const auto need = room_for(carrier != 0, body.size());
  if (const auto rest = lap_rest(position, need); rest != 0) {
    if (rest >= sizeof(record_head)) {
      const record_head skip{0, 0, record_head::skip, 0};
      std::memcpy(place(position), &skip, sizeof skip);
    }
    position += rest;
  }
  auto* at = place(position);
  const record_head head{static_cast<std::uint32_t>(body.size()),
                         static_cast<std::uint16_t>(carrier != 0), kind,
                         writer};
  std::memcpy(at, &head, sizeof head);
  at += sizeof head;
  if (carrier != 0) {
    std::memcpy(at, &carrier, sizeof carrier);
    at += sizeof carrier;
  }
  if (body.size() < smallest_counted)
    body.copy_to(at);
  else
    body.copy_to(at,
                 [](std::byte* to, const std::byte* from, std::size_t size) {
                   copy_into_ring(to, from, size);
                   count_copy(size);
                 });
  return position + need;
}

void segment::take_back(std::uint64_t from, std::uint64_t to,
                        std::uint64_t consumed) noexcept {
  const auto entered = to & ~(block - 1);
  const auto end = entered + 2 * block;
  if (entered <= from || to - from > block || end - consumed > capacity_)
    return;
  // Stores, since a prefetch does nothing for a line that is there to be read.
  for (auto at = entered + block; at != end; at += line)
    *place(at) = std::byte{};
}

segment::found segment::read(std::uint64_t position) const noexcept {
  auto rest = capacity_ - (position & (capacity_ - 1));
  const auto* head = reinterpret_cast<const record_head*>(place(position));
  if (rest < sizeof(record_head) || head->kind == record_head::skip) {
    position += rest;
    rest = capacity_;
    head = reinterpret_cast<const record_head*>(place(position));
  }
  const auto need = room_for(head->carried != 0, head->size);
  if (need > rest || head->carried > 1
      || (head->kind != record_head::here && head->kind != record_head::apart))
    return {};
  return {head,
          reinterpret_cast<const std::byte*>(head + 1)
            + head->carried * sizeof(memory::object_id),
          position + need};
}

} // namespace troupe::mailbox
