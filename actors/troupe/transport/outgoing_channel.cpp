// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/outgoing_channel.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/copy_into_ring.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <cstring>

namespace troupe::transport {

namespace {

/// From this size on a small ring is exchanged for a large one.
constexpr std::size_t calls_for_large = outgoing_channel::small_ring / 4;

} // namespace

outgoing_channel::outgoing_channel(memory::slot_id self, memory::slot_id reader,
                                   mailbox::inbox inbox, std::uint64_t types)
  : self_(self),
    reader_(reader),
    inbox_(std::move(inbox)),
    types_(types),
    ring_(mailbox::make_ring(reader, small_ring, types)) {
  TROUPE_CRASH_POINT("transport.ring.made");
  inbox_.announce(ring_.object());
  TROUPE_CRASH_POINT("transport.ring.announced");
}

std::byte* outgoing_channel::reserve(std::size_t size) {
  if (size >= calls_for_large && !large_)
    enlarge();
  if (!idle() || size > ring_.largest())
    return nullptr;
  return ring_.reserve(size);
}

bytes_span outgoing_channel::reserve_about(std::size_t size) {
  const auto wanted = size + size / 4 + 64;
  if (wanted > ring_.largest() && large_)
    return {};
  auto* room = reserve(wanted);
  return room == nullptr ? bytes_span{} : bytes_span{room, wanted};
}

void outgoing_channel::commit(std::size_t size, frame_tag tag) noexcept {
  // Tests count messages; control frames come when they come.
  if (!is_data(tag.kind)) {
    TROUPE_CRASH_POINT("transport.control.written");
    ring_.publish(size, tag.packed());
    TROUPE_CRASH_POINT("transport.control.published");
    return;
  }
  TROUPE_CRASH_POINT("transport.send.written");
  ring_.publish(size, tag.packed());
  TROUPE_CRASH_POINT("transport.send.published");
}

bool outgoing_channel::wait(bool urgent, frame_tag tag,
                            std::vector<std::byte> body) {
  // What has to go in pieces is data.
  urgent = urgent && body.size() <= ring_.largest();
  if (!urgent)
    waiting_bytes_ += body.size();
  (urgent ? urgent_ : data_).push_back({tag, std::move(body)});
  return !urgent;
}

std::byte* outgoing_channel::room_for(std::size_t size) {
  if (auto* room = ring_.reserve(size))
    return room;
  ring_.ask_for_room();
  // The reader may have made room before it could see the request.
  return ring_.reserve(size);
}

bool outgoing_channel::flush() {
  bool published = false;
  while (flush_front(urgent_, published)) {
  }
  while (urgent_.empty() && flush_front(data_, published)) {
  }
  return published;
}

/// Sends the first of `queue`, or a piece of it. False if there is no room or
/// nothing left.
bool outgoing_channel::flush_front(std::deque<pending>& queue,
                                   bool& published) {
  if (queue.empty())
    return false;
  auto& front = queue.front();
  if (wants_large_)
    enlarge();
  if (front.gone != 0 || front.body.size() > ring_.largest())
    return flush_piece(front, published);
  auto* room = room_for(front.body.size());
  if (room == nullptr)
    return false;
  mailbox::copy_into_ring(room, front.body.data(), front.body.size());
  commit(front.body.size(), front.tag);
  published = true;
  if (&queue == &data_)
    waiting_bytes_ -= front.body.size();
  queue.pop_front();
  return true;
}

bool outgoing_channel::flush_piece(pending& front, bool& published) {
  const auto first = front.gone == 0;
  const auto head = first ? sizeof(piece_head) : 0;
  const auto size = std::min(front.body.size() - front.gone,
                             ring_.largest() / 2);
  auto* room = room_for(size + head);
  if (room == nullptr)
    return false;
  if (first) {
    const piece_head what{front.body.size(), front.tag.packed(), 0};
    std::memcpy(room, &what, sizeof what);
  }
  mailbox::copy_into_ring(room + head, front.body.data() + front.gone, size);
  commit(size + head, {first ? frame_kind::first_piece : frame_kind::piece, 0});
  TROUPE_CRASH_POINT("transport.send.piece");
  published = true;
  front.gone += size;
  if (front.gone == front.body.size()) {
    waiting_bytes_ -= front.body.size();
    data_.pop_front();
  }
  return true;
}

/// Goes on in a ring that large messages fit into. Tried again at the next
/// flush where there is no room to say so.
void outgoing_channel::enlarge() {
  wants_large_ = true;
  const auto midway = !data_.empty() && data_.front().gone != 0;
  if (midway || !ring_)
    return;
  auto* room = room_for(sizeof(std::uint64_t));
  if (room == nullptr)
    return;
  try {
    auto object = mailbox::make_ring(reader_, large_ring, types_);
    const auto where = object.id();
    memory::own(ring_.object().as<mailbox::ring_head>()->successor, object);
    TROUPE_CRASH_POINT("transport.ring.kept");
    std::memcpy(room, &where, sizeof where);
    commit(sizeof where, {frame_kind::moved, 0});
    TROUPE_CRASH_POINT("transport.ring.moved");
    ring_ = mailbox::ring_writer{std::move(object)};
  } catch (const limit_reached&) {
    // Large messages then travel in many pieces.
  }
  large_ = true;
  wants_large_ = false;
}

std::size_t outgoing_channel::discard() noexcept {
  const auto lost = data_.size();
  urgent_.clear();
  data_.clear();
  waiting_bytes_ = 0;
  return lost;
}

} // namespace troupe::transport
