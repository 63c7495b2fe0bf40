// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/sync/barrier_state.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <source_location>
#include <string>

namespace troupe {

/// Lets a fixed number of threads, of any processes of a run, wait for one
/// another, round after round: Python's `Barrier`.
///
/// A handle: copies of it, in whatever process, mean the same barrier. As in
/// Python, and unlike `std::barrier`, `arrive_and_wait` gives each of the round
/// a different index, and a barrier can break: then everybody who waits, and
/// who comes, gets `broken_barrier`, until `reset`. An action is given where
/// the caller arrives and not where the barrier is made; it is that of the last
/// to arrive which runs, so give all the same, or decide by who is last.
///
/// # What a crash leaves
/// A broken barrier, if the dead process had ever arrived, or had the handle
/// from another process and was still to arrive: nobody waits for it. A process
/// that has destroyed its handles is not missed. One that is killed before it
/// has received the handle is not known here; whoever started it is told.
class barrier {
public:
  /// Parties that one barrier can have.
  static constexpr std::uint32_t most_parties = 65535;

  /// Throws `invalid_argument` (0 parties, or too many), `limit_reached`.
  explicit barrier(std::uint32_t parties, std::source_location made_at
                                          = std::source_location::current())
    : barrier(parties, std::chrono::nanoseconds{-1}, made_at) {
  }

  /// The same, with a limit for every wait that does not give one.
  barrier(std::uint32_t parties, std::chrono::nanoseconds limit,
          std::source_location made_at = std::source_location::current());

  /// Waits until all parties have arrived. Returns 0 to the first to arrive,
  /// and so on.
  /// Throws `broken_barrier`, which says why.
  /// @blocks on the other parties
  std::uint32_t arrive_and_wait() const {
    return arrive_and_wait([] {});
  }

  /// The same; the last to arrive calls `action` before any goes on. If that
  /// throws, it gets its exception and the others `broken_barrier`.
  template <std::invocable Action>
  std::uint32_t arrive_and_wait(Action action) const {
    return wait_before(state_->limit(), std::move(action));
  }

  /// The same with a limit; when it passes, the barrier breaks for all. As in
  /// Python, those of the round before are waited for without a limit until
  /// they have gone.
  /// @blocks on the other parties, until `limit`
  template <class Rep, class Period>
  std::uint32_t
  arrive_and_wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return wait_before(deadline::after(limit), [] {});
  }

  /// @blocks on the other parties, until `limit`
  template <class Rep, class Period, std::invocable Action>
  std::uint32_t
  arrive_and_wait_for(const std::chrono::duration<Rep, Period>& limit,
                      Action action) const {
    return wait_before(deadline::after(limit), std::move(action));
  }

  /// @blocks on the other parties, until `limit`
  template <class Clock, class Duration>
  std::uint32_t arrive_and_wait_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return wait_before(deadline::at(limit), [] {});
  }

  /// Makes the barrier as new; who waits gets `broken_barrier`.
  void reset() const noexcept {
    state_->reset();
  }

  /// Breaks the barrier for all.
  void abort() const noexcept {
    state_->break_all(sync::breakage::aborted);
  }

  [[nodiscard]] std::uint32_t parties() const noexcept {
    return state_->parties();
  }

  /// How many wait, now.
  [[nodiscard]] std::uint32_t waiting() const noexcept {
    const auto now = state_->now();
    return now.now == sync::barrier_state::filling ? now.count : 0;
  }

  [[nodiscard]] bool is_broken() const noexcept {
    return state_->now().now == sync::barrier_state::broken;
  }

  void save(codec::encoder& to) const {
    to.handle(object_);
  }

  [[nodiscard]] static barrier load(codec::decoder& from) {
    return barrier{from};
  }

  [[nodiscard]] sync::barrier_state& state() const noexcept {
    return *state_;
  }

  [[nodiscard]] memory::object_id id() const noexcept {
    return object_.id();
  }

  friend bool operator==(const barrier& a, const barrier& b) noexcept {
    return a.object_ == b.object_;
  }

private:
  explicit barrier(codec::decoder& from);

  [[nodiscard]] sync::barrier_state::arrival arrive(deadline limit) const;
  void release(sync::barrier_state::arrival& last) const;
  [[noreturn]] void refuse(const sync::barrier_state::arrival& of) const;

  template <class Action>
  std::uint32_t wait_before(deadline limit, Action action) const {
    auto mine = arrive(limit);
    if (mine.result != sync::barrier_state::outcome::last)
      return mine.index;
    try {
      action();
    } catch (...) {
      state_->break_epoch(sync::breakage::action_threw, mine.epoch);
      throw;
    }
    release(mine);
    return mine.index;
  }

  memory::reference object_;
  sync::barrier_state* state_;
};

} // namespace troupe
