// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/event.hpp>

#include <troupe/channel/readiness.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

#include <climits>
#include <optional>

namespace troupe {

namespace {

using memory::object_kind;
using sync::event_state;

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  auto& state = *reinterpret_cast<event_state*>(payload);
  state.remove_watcher(row);
  // The dead may have set the flag and woken nobody. The wake words of those
  // who watch are notified at each death.
  state.sleepers.evacuate();
}

/// `wait_any` for an event.
class event_condition final : public wait_condition,
                              private channel::watched_object {
public:
  explicit event_condition(const event& of) : event_(of) {
  }

  void begin() override {
    before_ = now();
  }

  [[nodiscard]] bool ready() override {
    const auto seen = now();
    return (seen & 1) != 0 || seen >> 1 != before_ >> 1;
  }

  void watch() override {
    watch_.emplace(static_cast<channel::watched_object&>(*this));
  }

  void unwatch() noexcept override {
    watch_.reset();
  }

private:
  [[nodiscard]] std::uint64_t now() const noexcept {
    // seq_cst: pairs with the exchange in set, behind our entry in the list.
    return event_.state().state.load(std::memory_order_seq_cst);
  }

  void add_watcher(std::uint32_t slot) noexcept override {
    event_.state().add_watcher(slot);
  }

  void remove_watcher(std::uint32_t slot) noexcept override {
    event_.state().remove_watcher(slot);
  }

  [[nodiscard]] const void* identity() const noexcept override {
    return &event_.state();
  }

  event event_;
  std::uint64_t before_ = 0;
  std::optional<channel::watch> watch_;
};

const bool registered = memory::register_kind(
  object_kind::event,
  {.holder_died = holder_died, .layout = event_state::layout()});

} // namespace

void sync::event_state::add_watcher(std::uint32_t slot) noexcept {
  if (slot < slots_inside)
    watchers.add(bits.data(), slot);
  else
    // For ever: nobody knows when the last of these has gone.
    // seq_cst: pairs with the look in notify_watchers, as the count of the
    // list.
    watched_by_all.store(1, std::memory_order_seq_cst);
}

void sync::event_state::remove_watcher(std::uint32_t slot) noexcept {
  if (slot < slots_inside)
    watchers.remove(bits.data(), slot);
}

void sync::event_state::notify_watchers() noexcept {
  if (watched_by_all.load(std::memory_order_seq_cst) != 0) {
    auto& memory = memory::run_memory::current();
    const auto high = memory.header().slots_high.load();
    for (std::uint32_t slot = 0; slot < high; ++slot)
      memory::notify(memory.slot(slot));
  } else if (watchers.any())
    watchers.notify(bits.data(), slots_inside / 64);
}

event::event(std::source_location made_at)
  : object_(memory::reference::create(object_kind::event, event_state::size())),
    state_(object_.as<event_state>()) {
  static_cast<void>(registered);
  memory::note_origin(object_, made_at);
}

event::event(codec::decoder& from)
  : object_(from.handle(object_kind::event)),
    state_(object_ ? object_.as<event_state>() : nullptr) {
  if (state_ == nullptr)
    from.refuse("event", "an empty handle");
  if (object_.size() < event_state::size())
    from.refuse("event", "the handle of something smaller");
}

void event::set() const noexcept {
  auto seen = state_->state.load(std::memory_order_relaxed);
  do {
    if ((seen & 1) != 0)
      return;
    // seq_cst: whoever counts itself a sleeper after this sees it, see
    // waiting_room.
  } while (!state_->state.compare_exchange_weak(seen, (seen + 2) | 1,
                                                std::memory_order_seq_cst,
                                                std::memory_order_relaxed));
  TROUPE_CRASH_POINT("sync.event.set");
  state_->sleepers.wake_if_occupied(INT_MAX);
  state_->notify_watchers();
  sync::notify_home(state_->actor);
}

std::shared_ptr<wait_condition> event::when_ready() const {
  return std::make_shared<event_condition>(*this);
}

bool event::wait_before(deadline limit) const {
  const auto before = state_->state.load(std::memory_order_seq_cst);
  return state_->sleepers.wait(
    [&] {
      const auto now = state_->state.load(std::memory_order_seq_cst);
      return (now & 1) != 0 || now >> 1 != before >> 1;
    },
    limit, memory::wait_kind::event);
}

} // namespace troupe
