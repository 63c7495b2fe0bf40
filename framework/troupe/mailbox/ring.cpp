// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/ring.hpp>

#include <bit>

namespace troupe::mailbox {

namespace {

constexpr std::uint64_t frame_head = 8;

constexpr std::uint64_t frame_size(std::uint64_t body) noexcept {
  return round_up(frame_head + body, 8);
}

/// A frame's head is one word, so that it is read once.
std::uint64_t load_word(const std::byte* at) noexcept {
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(at),
                         __ATOMIC_RELAXED);
}

void store_word(std::byte* at, std::uint64_t size, std::uint32_t tag) noexcept {
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(at),
                   (std::uint64_t{tag} << 32) | size, __ATOMIC_RELAXED);
}

} // namespace

memory::reference make_ring(memory::slot_id reader, std::uint64_t capacity,
                            std::uint64_t types) {
  auto ring = memory::reference::create(memory::object_kind::ring,
                                        sizeof(ring_head) + capacity);
  auto* head = ring.as<ring_head>();
  head->writer = memory::run_memory::current().self().packed();
  head->reader = reader.packed();
  head->capacity = capacity;
  head->types = types;
  head->self = ring.id();
  return ring;
}

bool is_ring_to_self(const memory::reference& object) noexcept {
  if (object.size() < sizeof(ring_head))
    return false;
  const auto* head = object.as<ring_head>();
  const auto capacity = head->capacity;
  return std::has_single_bit(capacity) && capacity >= 1024
         && capacity == object.size() - sizeof(ring_head)
         && head->reader == memory::run_memory::current().self().packed();
}

ring_writer::ring_writer(memory::reference ring) noexcept
  : ring_(std::move(ring)),
    head_(ring_.as<ring_head>()),
    data_(head_->data()),
    capacity_(head_->capacity) {
}

std::uint64_t ring_writer::used() noexcept {
  // A reader that claims to have taken more than there is makes the ring look
  // full for ever, which is its own loss.
  return tail_ - seen_head_ > capacity_ ? capacity_ : tail_ - seen_head_;
}

std::byte* ring_writer::reserve(std::size_t size) noexcept {
  const auto needed = frame_size(size);
  const auto at = tail_ & (capacity_ - 1);
  const auto to_end = capacity_ - at;
  const auto total = needed <= to_end ? needed : to_end + needed;
  if (capacity_ - used() < total) {
    // acquire: pairs with the release in ring_reader::release; its reads of
    // the room come before our writes to it.
    seen_head_ = head_->head.load(std::memory_order_acquire);
    if (capacity_ - used() < total)
      return nullptr;
  }
  if (needed <= to_end)
    return data_ + at + frame_head;
  store_word(data_ + at, to_end - frame_head, ring_pad);
  tail_ += to_end;
  return data_ + frame_head;
}

std::size_t ring_writer::contiguous() noexcept {
  seen_head_ = head_->head.load(std::memory_order_acquire);
  const auto room = capacity_ - used();
  const auto to_end = capacity_ - (tail_ & (capacity_ - 1));
  const auto least = room < to_end ? room : to_end;
  return least <= frame_head ? 0 : static_cast<std::size_t>(least - frame_head);
}

void ring_writer::publish(std::size_t size, std::uint32_t tag) noexcept {
  store_word(data_ + (tail_ & (capacity_ - 1)), size, tag);
  tail_ += frame_size(size);
  // release: pairs with the acquire in ring_reader::next.
  head_->tail.store(tail_, std::memory_order_release);
}

void ring_writer::ask_for_room() noexcept {
  head_->hungry.store(1, std::memory_order_relaxed);
  // Pairs with the fence in ring_reader::release. Either the reader's exchange
  // sees the 1, or our next look sees its head.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

ring_reader::ring_reader(memory::reference ring) noexcept
  : ring_(std::move(ring)),
    head_(ring_.as<ring_head>()),
    data_(head_->data()),
    capacity_(ring_.size() - sizeof(ring_head)),
    at_(head_->head.load(std::memory_order_relaxed)),
    released_(at_),
    tail_(at_) {
}

ring_state ring_reader::next(ring_frame& found) noexcept {
  for (;;) {
    if (tail_ == at_) {
      tail_ = head_->tail.load(std::memory_order_acquire);
      if (tail_ == at_)
        return ring_state::empty;
      if (tail_ - at_ > capacity_ || tail_ % 8 != 0)
        return ring_state::broken;
    }
    const auto position = at_ & (capacity_ - 1);
    const auto word = load_word(data_ + position);
    const auto size = static_cast<std::uint32_t>(word);
    const auto whole = frame_size(size);
    if (whole > tail_ - at_ || whole > capacity_ - position)
      return ring_state::broken;
    if (const auto tag = static_cast<std::uint32_t>(word >> 32);
        tag != ring_pad) {
      taking_ = whole;
      found = {tag, {data_ + position + frame_head, size}};
      return ring_state::frame;
    }
    at_ += whole;
  }
}

bool ring_reader::release() noexcept {
  head_->head.store(at_, std::memory_order_release);
  released_ = at_;
  // Pairs with the fence in ring_writer::ask_for_room.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return head_->hungry.load(std::memory_order_relaxed) != 0
         && head_->hungry.exchange(0, std::memory_order_relaxed) != 0;
}

} // namespace troupe::mailbox
