// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/actor_ends.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/transport/byte_reader.hpp>
#include <troupe/transport/byte_writer.hpp>
#include <troupe/transport/message_bytes.hpp>

#include <caf/sec.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>

namespace troupe::transport {

namespace {

/// What stands at the front of the bytes that `leave` writes: over the
/// arguments of the process, which nobody reads any more.
///
///     0     mark     of `leave`, and of this process
///     8     reasons, each: actor, size, and its bytes
///           0
constexpr std::uint64_t mark = 0x5452'5045'454E'4453ULL;

std::uint64_t mark_of(memory::slot_id process) noexcept {
  return mark ^ process.packed();
}

/// The head of one reason.
struct reason_head {
  std::uint64_t actor;
  std::uint64_t size;
};

bool is_dead(const memory::process_slot& slot) noexcept {
  return slot.current_state() == memory::slot_state::dead;
}

} // namespace

void actor_ends::end(caf::actor_id actor, const caf::error& reason) {
  const std::scoped_lock guard{mutex_};
  if (ended_.try_emplace(actor, reason).second) {
    order_.push_back(actor);
    if (order_.size() > most_remembered) {
      ended_.erase(order_.front());
      order_.pop_front();
    }
  }
}

std::optional<caf::error> actor_ends::reason_of(caf::actor_id actor) const {
  const std::scoped_lock guard{mutex_};
  const auto found = ended_.find(actor);
  if (found == ended_.end())
    return std::nullopt;
  return found->second;
}

void actor_ends::leave() const {
  auto& memory = memory::run_memory::current();
  auto room = std::span<std::byte>{memory.own_slot().inline_bytes};
  const auto put = [&room](const void* from, std::size_t size) {
    std::memcpy(room.data(), from, size);
    room = room.subspan(size);
  };
  const auto first = mark_of(memory.self());
  put(&first, sizeof first);
  const std::scoped_lock guard{mutex_};
  for (auto each = order_.rbegin(); each != order_.rend(); ++each) {
    std::vector<std::byte> bytes;
    byte_writer sink{nullptr, bytes, 0};
    auto reason = ended_.at(*each);
    if (!sink.apply(reason))
      continue;
    const reason_head head{*each, sink.written()};
    // The head of the end has to fit, too.
    if (2 * sizeof head + head.size > room.size())
      break;
    put(&head, sizeof head);
    put(bytes.data(), sink.written());
  }
  const reason_head end{0, 0};
  put(&end, sizeof end);
}

std::map<caf::actor_id, caf::error>
actor_ends::left_by(caf::actor_system& system, memory::slot_id process) {
  std::map<caf::actor_id, caf::error> result;
  const auto* slot = memory::run_memory::current().find(process);
  if (slot == nullptr || !is_dead(*slot))
    return result;
  // A copy: the place may become another's meanwhile.
  const auto copy = slot->inline_bytes;
  // acquire: the copy was made before this second look.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (memory::run_memory::current().find(process) != slot || !is_dead(*slot))
    return result;
  byte_reader source{&system, nullptr, copy};
  std::uint64_t number = 0;
  if (!source.value(number) || number != mark_of(process))
    return result;
  for (;;) {
    reason_head head{};
    if (!source.value(head.actor) || !source.value(head.size)
        || head.actor == 0)
      return result;
    const auto* bytes = source.take(head.size);
    if (bytes == nullptr)
      return result;
    byte_reader inner{&system, nullptr, {bytes, head.size}};
    caf::error reason;
    if (inner.apply(reason) && is_showable(reason))
      result.try_emplace(head.actor, std::move(reason));
  }
}

bool ended_actor::enqueue(caf::mailbox_element_ptr what,
                          version::execution_context*) {
  const caf::detail::sync_request_bouncer answer{
    caf::sec::request_receiver_down};
  answer(what->sender, what->mid);
  return false;
}

} // namespace troupe::transport
