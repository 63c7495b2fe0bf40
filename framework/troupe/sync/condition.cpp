// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/condition.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>

#include <string>

namespace troupe {

namespace {

using memory::object_kind;

std::uint32_t own_row() noexcept {
  return memory::run_memory::current().self().index;
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  repair_after_death(*reinterpret_cast<sync::condition_state*>(payload), row,
                     own_row());
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  reinterpret_cast<sync::condition_state*>(payload)->dispose();
}

const bool registered = memory::register_kind(
  object_kind::condition, {.dispose = dispose,
                           .holder_died = holder_died,
                           .layout = sync::condition_state::layout()});

} // namespace

condition::condition(std::source_location made_at)
  : object_(memory::reference::create(object_kind::condition,
                                      sync::condition_state::size())),
    state_(object_.as<sync::condition_state>()) {
  static_cast<void>(registered);
  memory::note_origin(object_, made_at);
}

condition::condition(codec::decoder& from)
  : object_(from.handle(object_kind::condition)),
    state_(object_ ? object_.as<sync::condition_state>() : nullptr) {
  if (state_ == nullptr)
    from.refuse("condition", "an empty handle");
  if (object_.size() < sync::condition_state::size())
    from.refuse("condition", "the handle of something smaller");
}

sync::waiter& condition::enqueue() const {
  const auto me = sync::owner::this_thread();
  auto* const at = state_->enqueue(me, me.row());
  const auto attempted = [this] {
    return "wait on condition " + std::to_string(id());
  };
  if (at == nullptr && !state_->has_wait_queue())
    throw limit_reached(
      attempted(), "there is no memory for the wait_queue of those who wait",
      "drop handles, or raise limits::memory");
  if (at == nullptr)
    throw limit_reached(attempted(),
                        std::to_string(most_waiters) + " threads wait already",
                        "use several conditions");
  return *at;
}

bool condition::sleep(sync::waiter& at, deadline limit) const noexcept {
  return state_->sleep(at, own_row(), limit);
}

void condition::withdraw(sync::waiter& at) const noexcept {
  // Notified in between: somebody else shall have it.
  if (state_->leave(at, own_row()))
    state_->notify(1, own_row());
}

std::uint32_t condition::notify(std::uint32_t count) const {
  return state_->notify(count, own_row());
}

} // namespace troupe
