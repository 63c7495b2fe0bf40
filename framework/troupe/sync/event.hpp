// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/mailbox/waiting_room.hpp>
#include <troupe/mailbox/watch_list.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/sync/actor_location.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>

namespace troupe {

class wait_condition;

namespace sync {

/// What an event is in shared memory.
///
///     0    state     how often it was set << 1 | 1 while it is set
///     8    watchers  processes in which `wait_any` waits for it
///     12   watched_by_all  1: one of them is in a slot without a bit, so
///                          every process is notified
///     16   sleepers
///     32   actor     where its actor is: if somewhere, that process is notified
///     48   bits      of the watchers in the first 640 slots
struct event_state {
  static constexpr std::uint32_t slots_inside = 640;

  // `state`: seq_cst in `set` and by who waits, as `waiting_room` wants it;
  // acquire in `is_set`, acq_rel in `clear`. `watched_by_all` and `bits`:
  // seq_cst, written before the watcher looks at `state`, read in
  // `notify_watchers` after a change of it.
  std::atomic<std::uint64_t> state;
  mailbox::watch_list watchers;
  std::atomic<std::uint32_t> watched_by_all;
  mailbox::waiting_room sleepers;
  actor_location actor;
  std::array<std::atomic<std::uint64_t>, slots_inside / 64> bits;

  [[nodiscard]] static constexpr std::uint64_t size() noexcept {
    return sizeof(event_state);
  }

  void add_watcher(std::uint32_t slot) noexcept;
  void remove_watcher(std::uint32_t slot) noexcept;
  void notify_watchers() noexcept;

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of({sizeof(event_state), offsetof(event_state, state),
                              offsetof(event_state, sleepers)});
  }
};

static_assert(sizeof(event_state) == 128);
static_assert(sizeof(event_state) <= memory::object_head::size_inside);

} // namespace sync

/// A flag that threads of all processes of a run set, clear and wait for:
/// Python's `Event`.
///
/// A handle: copies of it, in whatever process, mean the same flag. Whoever
/// waits when the flag is set goes on, also if it is cleared again at once.
/// What was written before `set` is visible after `wait` and `is_set`.
///
/// # What a crash leaves
/// The flag. A process that dies while it sets the flag has set it for all or
/// for nobody.
class event {
public:
  /// Not set. Throws `limit_reached`, `invalid_state`.
  event(std::source_location made_at = std::source_location::current());

  [[nodiscard]] bool is_set() const noexcept {
    // acquire: pairs with the exchange in set.
    return (state_->state.load(std::memory_order_acquire) & 1) != 0;
  }

  /// Sets the flag and wakes all who wait. Waits for nobody.
  void set() const noexcept;

  void clear() const noexcept {
    state_->state.fetch_and(~1ULL, std::memory_order_acq_rel);
  }

  /// @blocks on who sets the flag
  void wait() const {
    static_cast<void>(wait_before(deadline::never()));
  }

  /// Returns false if `limit` has passed first.
  /// @blocks on who sets the flag, until `limit`
  template <class Rep, class Period>
  [[nodiscard]] bool
  wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return wait_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  wait_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return wait_before(deadline::at(limit));
  }

  /// For `wait_any`: ready while the flag is set, and once it was set after the
  /// wait began, as `wait`.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const;

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static event load(codec::decoder& from) {
    return event{from};
  }

  [[nodiscard]] sync::event_state& state() const noexcept {
    return *state_;
  }

  [[nodiscard]] memory::object_id id() const noexcept {
    return object_.id();
  }

  friend bool operator==(const event& a, const event& b) noexcept {
    return a.object_ == b.object_;
  }

private:
  explicit event(codec::decoder& from);

  [[nodiscard]] bool wait_before(deadline limit) const;

  memory::reference object_;
  sync::event_state* state_;
};

} // namespace troupe
