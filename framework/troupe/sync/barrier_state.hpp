// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/waiting_room.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/memory/slot_text.hpp>
#include <troupe/sync/actor_location.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::sync {

/// Why a barrier is broken.
enum class breakage : std::uint8_t {
  none,
  timed_out,
  aborted,
  action_threw,
  member_died,
};

/// What a barrier is in shared memory.
///
///     0    word     bit 0   phase
///                   8       why it is broken, a `breakage`
///                   16      how many have arrived, or have yet to go
///                   32      epoch, counted up at each reset
///     8    parties
///     12   who broke it by dying: its row plus one
///     16   sleepers
///     32   limit    of every wait, in nanoseconds; negative: none
///     40   creator  the row of the process that made it
///     44   process id of who broke it by dying
///     48   actor    where its actor is: if somewhere, that process is notified
///     64   name of the process that broke it by dying
///     320  arrived  a bit for each process that has ever arrived
///
/// Every step is one compare-exchange on the word, so there is nothing to
/// repair. The phases go round: `filling` until all have arrived, `acting`
/// while the last one runs its action, `draining` until all have gone. From any
/// of them to `broken`, and from there to `filling` in a new epoch. Who sleeps
/// in an older epoch finds it over, and is not counted in the new one.
class barrier_state {
public:
  enum phase : std::uint8_t { filling, acting, draining, broken };

  struct view {
    phase now;
    breakage why;
    std::uint16_t count;
    std::uint32_t epoch;

    [[nodiscard]] static view of(std::uint64_t word) noexcept {
      return {static_cast<phase>(word & 0xFF),
              static_cast<breakage>((word >> 8) & 0xFF),
              static_cast<std::uint16_t>(word >> 16),
              static_cast<std::uint32_t>(word >> 32)};
    }

    [[nodiscard]] std::uint64_t word() const noexcept {
      return std::uint64_t{now}
             | std::uint64_t{static_cast<std::uint8_t>(why)} << 8
             | std::uint64_t{count} << 16 | std::uint64_t{epoch} << 32;
    }
  };

  /// How an arrival, or the wait after it, came out.
  enum class outcome : std::uint8_t {
    /// All had arrived.
    passed,
    /// All have arrived, and the caller is to run the action and `release`.
    last,
    broken,
    /// Reset while the caller waited.
    reset,
  };

  struct arrival {
    outcome result;
    std::uint32_t index;
    std::uint32_t epoch;
  };

  [[nodiscard]] static std::uint64_t size();

  /// See `memory::layout_of`.
  [[nodiscard]] static constexpr std::uint32_t layout() noexcept {
    return memory::layout_of(
      {sizeof(barrier_state), offsetof(barrier_state, word_),
       offsetof(barrier_state, parties_), offsetof(barrier_state, sleepers_)});
  }

  void initialise(std::uint32_t parties, std::int64_t limit,
                  std::uint32_t row) noexcept;

  /// Arrives and, unless it is the last to, waits for the others.
  [[nodiscard]] arrival arrive(std::uint32_t row, deadline limit);

  /// Arrives without waiting; `passed` then means that `look` tells the rest.
  /// Nothing if the last round has not drained yet.
  [[nodiscard]] bool try_arrive(std::uint32_t row, arrival& done) noexcept;

  /// Returns whether the round of `of` is over, and how in `of.result`.
  [[nodiscard]] bool look(arrival& of) noexcept;

  /// The action has run: lets all go. False: broken or reset meanwhile.
  [[nodiscard]] bool release(arrival& last) noexcept;

  /// Breaks it for all; `epoch`: only if it was not reset since.
  void break_all(breakage why) noexcept;
  void break_epoch(breakage why, std::uint32_t epoch) noexcept;

  void reset() noexcept;

  [[nodiscard]] view now() const noexcept {
    return view::of(word_.load(std::memory_order_seq_cst));
  }

  [[nodiscard]] std::uint32_t parties() const noexcept {
    return parties_;
  }

  [[nodiscard]] deadline limit() const {
    return limit_ < 0 ? deadline::never()
                      : deadline::after(std::chrono::nanoseconds{limit_});
  }

  /// The process whose death broke it: "name (pid 42)"; empty if none did.
  [[nodiscard]] std::string broken_by() const;

  [[nodiscard]] actor_location& actor() noexcept {
    return actor_;
  }

  /// Counts the process in `row` among those who take part.
  void take_part(std::uint32_t row) noexcept;

  /// The process in `row` died while it had a handle.
  void on_death(std::uint32_t row) noexcept;

  /// The process in `row` lives and has no handle any more.
  void forget(std::uint32_t row) noexcept;

private:
  // seq_cst: set in `take_part`, before `word_` counts the arrival; read in
  // `on_death`.
  std::atomic<std::uint64_t>& arrived_word(std::uint32_t row) noexcept {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1)[row / 64];
  }

  template <class Step>
  bool change(Step step) noexcept;
  void wake_all() noexcept;
  void note_death(std::uint32_t row) noexcept;
  void leave(std::uint32_t epoch) noexcept;

  // seq_cst: each step exchanges it, and then looks who sleeps: see
  // `waiting_room`.
  std::atomic<std::uint64_t> word_;
  std::uint32_t parties_;
  // release in `note_death`, behind `broken_pid_` and the name, which are
  // relaxed; acquire in `broken_by`.
  std::atomic<std::uint32_t> broken_by_;
  mailbox::waiting_room sleepers_;
  std::int64_t limit_;
  // relaxed: set before another process has the barrier, taken back by the
  // creator itself, and only compared with a row.
  std::atomic<std::uint32_t> creator_;
  std::atomic<std::int32_t> broken_pid_;
  actor_location actor_;
  memory::slot_text<256> broken_name_;
};

static_assert(sizeof(barrier_state) == 320);

} // namespace troupe::sync
