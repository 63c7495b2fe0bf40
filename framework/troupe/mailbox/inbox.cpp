// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/inbox.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace troupe::mailbox {

namespace {

/// Nobody announces more rings than that between two looks; a longer chain is
/// somebody's circle.
constexpr std::size_t longest_chain = 1 << 17;

/// While nobody can hold more objects, so long between two attempts.
constexpr std::chrono::milliseconds pause{100};

/// The ring that was announced at `where`; nullptr if there is none.
ring_head* ring_at(memory::object_id where) noexcept {
  auto* object = memory::run_memory::current().find_object(
    where, memory::object_kind::ring);
  return object == nullptr || object->size < sizeof(ring_head)
           ? nullptr
           : reinterpret_cast<ring_head*>(
               memory::run_memory::current().payload_of(object));
}

void give_up_announced(std::byte* payload, std::uint64_t size) noexcept {
  if (size < sizeof(inbox_head))
    return;
  auto at = reinterpret_cast<inbox_head*>(payload)->announced.exchange(0);
  for (std::size_t count = 0; at != 0 && count < longest_chain; ++count) {
    const auto* ring = ring_at(at);
    if (ring == nullptr)
      return;
    const auto next = ring->next.load();
    memory::forget(at);
    at = next;
  }
}

/// Hangs a chain behind what was announced since it was taken off. Returns the
/// ring announced last.
memory::object_id put_back(inbox_head& head, memory::object_id chain) noexcept {
  memory::object_id first = 0;
  if (head.announced.compare_exchange_strong(first, chain))
    return chain;
  // Nobody but the owner takes anything off, so the last one stays the last.
  auto* last = ring_at(first);
  for (std::size_t count = 0; last != nullptr && count < longest_chain;
       ++count) {
    const auto next = last->next.load();
    if (next == 0) {
      last->next.store(chain);
      break;
    }
    last = ring_at(next);
  }
  return first;
}

const bool registered = memory::register_kind(memory::object_kind::inbox,
                                              {give_up_announced, nullptr});

} // namespace

inbox inbox::make(std::uint64_t types, std::string_view names) {
  auto& memory = memory::run_memory::current();
  inbox made{memory::reference::create(memory::object_kind::inbox,
                                       sizeof(inbox_head) + names.size())};
  made.head_->owner = memory.self().packed();
  made.head_->types = types;
  made.head_->names = names.size();
  std::memcpy(made.head_->text(), names.data(), names.size());
  // release: pairs with the acquire in `of`.
  memory.own_slot().transport_root.store(made.object_.id(),
                                         std::memory_order_release);
  return made;
}

inbox inbox::of(memory::slot_id owner) {
  try {
    auto& memory = memory::run_memory::current();
    auto* slot = memory.find(owner);
    if (slot == nullptr)
      return {};
    const auto where = slot->transport_root.load(std::memory_order_acquire);
    if (where == 0)
      return {};
    inbox found{memory::reference::attach(where, memory::object_kind::inbox)};
    if (found.object_.size() < sizeof(inbox_head)
        || found.head_->owner != owner.packed())
      return {};
    return found;
  } catch (const stale_handle&) {
    return {};
  }
}

std::string inbox::names() const {
  const auto size = std::min(head_->names, object_.size() - sizeof(inbox_head));
  return std::string(head_->text(), static_cast<std::size_t>(size));
}

void inbox::announce(const memory::reference& ring) noexcept {
  const auto where = memory::send(ring);
  auto* head = ring.as<ring_head>();
  auto before = head_->announced.load(std::memory_order_relaxed);
  do {
    head->next.store(before, std::memory_order_relaxed);
  } while (!head_->announced.compare_exchange_weak(
    before, where, std::memory_order_release, std::memory_order_relaxed));
}

std::vector<memory::reference> inbox::take_announced() {
  std::vector<memory::reference> taken;
  left_ = 0;
  retry_ = deadline::never();
  auto at = head_->announced.exchange(0, std::memory_order_acquire);
  for (std::size_t count = 0; at != 0 && count < longest_chain; ++count) {
    try {
      auto ring = memory::reference::attach(at, memory::object_kind::ring);
      memory::forget(at);
      if (ring.size() < sizeof(ring_head))
        break;
      at = ring.as<ring_head>()->next.load(std::memory_order_relaxed);
      if (is_ring_to_self(ring))
        taken.push_back(std::move(ring));
    } catch (const limit_reached&) {
      left_ = put_back(*head_, at);
      retry_ = deadline::after(pause);
      break;
    } catch (const error&) {
      // Announced by someone who was never allowed to, or freed since.
      break;
    }
  }
  std::reverse(taken.begin(), taken.end());
  return taken;
}

} // namespace troupe::mailbox
