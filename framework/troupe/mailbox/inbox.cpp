// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/inbox.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

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

/// Forgets the rings of a chain. Should this be killed it goes on where it was.
void give_up_chain(inbox_head& head, std::atomic<memory::object_id>& chain) {
  for (std::size_t count = 0; count < longest_chain; ++count) {
    // Only one that both chains are past: nothing is read of it any more.
    if (const auto ending = head.ending.load();
        ending != head.taking.load() && ending != head.announced.load())
      memory::forget(ending);
    head.ending.store(0);
    const auto at = chain.load();
    const auto* ring = at == 0 ? nullptr : ring_at(at);
    if (ring == nullptr)
      break;
    const auto next = ring->next.load();
    head.ending.store(at);
    TROUPE_CRASH_POINT("transport.inbox.ending");
    chain.store(next);
    TROUPE_CRASH_POINT("transport.inbox.passed");
  }
  chain.store(0);
}

void give_up_announced(std::byte* payload, std::uint64_t size) noexcept {
  if (size < sizeof(inbox_head))
    return;
  auto& head = *reinterpret_cast<inbox_head*>(payload);
  give_up_chain(head, head.taking);
  // What is in both may be forgotten twice.
  give_up_chain(head, head.announced);
}

/// Takes a part of what is announced out of the chain: from the ring `first` to
/// the one before `behind`. Only for the owner; others put new ones in front.
void cut_out(inbox_head& head, memory::object_id first,
             memory::object_id behind) noexcept {
  auto at = first;
  if (head.announced.compare_exchange_strong(at, behind))
    return;
  for (std::size_t count = 0; count < longest_chain; ++count) {
    auto* ring = ring_at(at);
    if (ring == nullptr)
      return;
    at = ring->next.load();
    if (at == first)
      return ring->next.store(behind);
  }
}

void give_up_successor(std::byte* payload, std::uint64_t size) noexcept {
  if (size >= sizeof(ring_head))
    memory::disown(reinterpret_cast<ring_head*>(payload)->successor);
}

/// Whether the ring has been announced to an inbox, by a writer that is dead.
bool was_announced(const ring_head& ring, memory::object_id id) noexcept {
  try {
    const auto to = memory::reference::attach(ring.inbox.load(),
                                              memory::object_kind::inbox);
    if (to.as<inbox_head>()->announced.load(std::memory_order_seq_cst) == id)
      return true;
    // It stood there for nobody to see: whoever takes it away, or puts another
    // in front of it, says so before.
    return ring.known.load(std::memory_order_seq_cst) != 0;
  } catch (const stale_handle&) {
    // What was announced there has been given up.
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

void writer_died(std::byte* payload, std::uint64_t size,
                 std::uint32_t slot) noexcept {
  if (size < sizeof(ring_head))
    return;
  auto& ring = *reinterpret_cast<ring_head*>(payload);
  const auto id = ring.self;
  if (memory::slot_id::unpacked(ring.writer).index != slot
      || ring.inbox.load() == 0 || ring.known.load() != 0)
    return;
  if (!was_announced(ring, id))
    memory::forget(id);
  ring.known.store(1);
}

const bool ring_registered = memory::register_kind(
  memory::object_kind::ring, {give_up_successor, writer_died});

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

void inbox::announce(const memory::reference& ring) {
  static_cast<void>(ring_registered);
  auto* head = ring.as<ring_head>();
  head->inbox.store(object_.id(), std::memory_order_seq_cst);
  memory::keep_alive(ring);
  TROUPE_CRASH_POINT("transport.announce.kept");
  auto before = head_->announced.load(std::memory_order_acquire);
  for (;;) {
    if (before != 0)
      try {
        // Once ours stands before it nobody can see any more that it stood
        // there.
        memory::reference::attach(before, memory::object_kind::ring)
          .as<ring_head>()
          ->known.store(1, std::memory_order_seq_cst);
      } catch (const stale_handle&) {
        // It has been taken, or is nonsense: then its reader finds that.
        const auto now = head_->announced.load(std::memory_order_acquire);
        if (std::exchange(before, now) != now)
          continue;
      } catch (...) {
        memory::forget(ring.id());
        throw;
      }
    head->next.store(before, std::memory_order_relaxed);
    if (head_->announced.compare_exchange_weak(before, ring.id(),
                                               std::memory_order_seq_cst))
      break;
  }
  TROUPE_CRASH_POINT("transport.announce.done");
  head->known.store(1, std::memory_order_seq_cst);
}

std::vector<memory::reference> inbox::take_announced() {
  std::vector<memory::reference> taken;
  left_ = 0;
  retry_ = deadline::never();
  const auto first = head_->announced.load(std::memory_order_acquire);
  if (first == 0)
    return taken;
  auto at = first;
  for (std::size_t count = 0; at != 0 && count < longest_chain; ++count) {
    try {
      auto ring = memory::reference::attach(at, memory::object_kind::ring);
      if (ring.size() < sizeof(ring_head)) {
        at = 0;
        break;
      }
      auto* head = ring.as<ring_head>();
      head->known.store(1, std::memory_order_seq_cst);
      at = head->next.load(std::memory_order_relaxed);
      taken.push_back(std::move(ring));
    } catch (const limit_reached&) {
      left_ = at;
      retry_ = deadline::after(pause);
      break;
    } catch (const error&) {
      // Announced by someone who was never allowed to, or freed since.
      at = 0;
    }
  }
  // Killed from here on it leaves the chain to `dispose`. What was announced
  // first is forgotten first, so the rest of the chain can be followed.
  head_->taking.store(first, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("transport.taking.noted");
  cut_out(*head_, first, at);
  TROUPE_CRASH_POINT("transport.taking.cut");
  std::reverse(taken.begin(), taken.end());
  for (const auto& ring : taken) {
    memory::forget(ring.id());
    TROUPE_CRASH_POINT("transport.taking.forgotten");
  }
  head_->taking.store(0, std::memory_order_seq_cst);
  std::erase_if(taken, [](const auto& ring) { return !is_ring_to_self(ring); });
  return taken;
}

} // namespace troupe::mailbox
