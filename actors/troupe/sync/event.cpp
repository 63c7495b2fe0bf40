// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/event.hpp>

#include <troupe/os/crash_point.hpp>

#include <climits>

namespace troupe {

namespace {

using memory::object_kind;
using sync::event_state;

void holder_died(std::byte* payload, std::uint64_t, std::uint32_t) noexcept {
  // The dead may have set the flag and woken nobody.
  reinterpret_cast<event_state*>(payload)->sleepers.evacuate();
}

const bool registered = memory::register_kind(object_kind::event,
                                              {nullptr, holder_died, nullptr});

} // namespace

event::event()
  : object_(memory::reference::create(object_kind::event, sizeof(event_state))),
    state_(object_.as<event_state>()) {
  static_cast<void>(registered);
}

event::event(codec::decoder& from)
  : object_(from.handle(object_kind::event)),
    state_(object_ ? object_.as<event_state>() : nullptr) {
  if (state_ == nullptr)
    from.refuse("event", "an empty handle");
  if (object_.size() < sizeof(event_state))
    from.refuse("event", "the handle of something smaller");
}

void event::set() const noexcept {
  auto seen = state_->state.load(std::memory_order_relaxed);
  do {
    if ((seen & 1) != 0)
      return;
    // seq_cst: whoever enrols after this sees it, see waiting_room.
  } while (!state_->state.compare_exchange_weak(seen, (seen + 2) | 1,
                                                std::memory_order_seq_cst,
                                                std::memory_order_relaxed));
  TROUPE_CRASH_POINT("sync.event.set");
  state_->sleepers.ring_if_occupied(INT_MAX);
  sync::ring_home(state_->actor);
}

bool event::wait_before(deadline limit) const {
  const auto before = state_->state.load(std::memory_order_seq_cst);
  return state_->sleepers.wait(
    [&] {
      const auto now = state_->state.load(std::memory_order_seq_cst);
      return (now & 1) != 0 || now >> 1 != before >> 1;
    },
    limit);
}

} // namespace troupe
