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
  see_to_repair(*reinterpret_cast<sync::notices*>(payload), row, own_row());
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  reinterpret_cast<sync::notices*>(payload)->dispose();
}

const bool registered = memory::register_kind(
  object_kind::condition, {.dispose = dispose,
                           .holder_died = holder_died,
                           .layout = sync::notices::layout()});

} // namespace

condition::condition(std::source_location made_at)
  : object_(
      memory::reference::create(object_kind::condition, sync::notices::size())),
    notices_(object_.as<sync::notices>()) {
  static_cast<void>(registered);
  memory::note_origin(object_, made_at);
}

condition::condition(codec::decoder& from)
  : object_(from.handle(object_kind::condition)),
    notices_(object_ ? object_.as<sync::notices>() : nullptr) {
  if (notices_ == nullptr)
    from.refuse("condition", "an empty handle");
  if (object_.size() < sync::notices::size())
    from.refuse("condition", "the handle of something smaller");
}

sync::place& condition::enrol() const {
  const auto me = sync::owner::this_thread();
  auto* const at = notices_->enrol(me, me.row());
  const auto attempted = [this] {
    return "wait on condition " + std::to_string(id());
  };
  if (at == nullptr && !notices_->has_line())
    throw limit_reached(attempted(),
                        "there is no memory for the line of those who wait",
                        "drop handles, or raise limits::memory");
  if (at == nullptr)
    throw limit_reached(attempted(),
                        std::to_string(most_waiters) + " threads wait already",
                        "use several conditions");
  return *at;
}

bool condition::sleep(sync::place& at, deadline limit) const noexcept {
  return notices_->sleep(at, own_row(), limit);
}

void condition::withdraw(sync::place& at) const noexcept {
  // Notified in between: somebody else shall have it.
  if (notices_->leave(at, own_row()))
    notices_->notify(1, own_row());
}

std::uint32_t condition::notify(std::uint32_t count) const {
  return notices_->notify(count, own_row());
}

} // namespace troupe
