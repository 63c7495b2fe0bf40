// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>

namespace troupe::mailbox {

/// Where threads of any process sleep until something in shared memory holds.
/// Part of a shared object; all zero is an empty room.
///
///     0    wake_word    counted up at each wake-up; sleepers sleep on it
///     4    woken_from   the processor on which the last waker ran; a hint
///     8    sleepers     epoch << 32 | how many sleep, or are about to
///
/// Whoever makes the condition true first stores that (sequentially
/// consistent), then calls `wake` if the room is `occupied`. A sleeper counts
/// itself first and looks at the condition afterwards, sequentially consistent
/// too. So one of the two sees the other.
///
/// # What a crash leaves
/// A dead sleeper stays counted, and a wake-up given to it may be lost; a
/// waker killed between store and `wake` wakes nobody. Therefore whoever
/// confirms a death calls `evacuate`: all that live wake, look, and count
/// themselves anew in a new epoch, in which the dead are not counted.
class waiting_room {
public:
  [[nodiscard]] bool occupied() const noexcept {
    // seq_cst: pairs with prepare_wait.
    return static_cast<std::uint32_t>(sleepers_.load(std::memory_order_seq_cst))
           != 0;
  }

  /// Wakes up to `count` sleepers.
  void wake(int count) noexcept {
    woken_from_.store(os::current_processor(), std::memory_order_relaxed);
    wake_word_.fetch_add(1, std::memory_order_seq_cst);
    os::wake(wake_word_, count);
  }

  void wake_if_occupied(int count) noexcept {
    if (occupied())
      wake(count);
  }

  /// Wakes all, and forgets those who cannot wake any more.
  void evacuate() noexcept;

  /// Returns true once `ready()` is, false when `limit` has passed first.
  /// `ready` must read with sequential consistency. `note` says what for.
  /// @blocks on whoever makes it ready
  template <std::predicate Ready>
  bool wait(Ready ready, deadline limit, memory::wait_note& note) {
    auto& spinning = spinner::of_this_thread();
    if (spinning.spin(ready, limit))
      return true;
    for (;;) {
      const auto start = deadline::clock::now();
      const auto epoch = prepare_wait();
      const auto ticket = wake_word_.load(std::memory_order_seq_cst);
      const bool now = ready();
      if (!now)
        note.sleeps(wake_word_, ticket);
      const bool in_time
        = now || memory::warm_memory::wait(wake_word_, ticket, limit);
      if (!now)
        spinning.woken(start, woken_from_.load(std::memory_order_relaxed));
      leave(epoch);
      if (now || ready())
        return true;
      if (!in_time)
        return false;
    }
  }

  /// The same for a wait of one step.
  template <std::predicate Ready>
  bool wait(Ready ready, deadline limit, memory::wait_kind kind) {
    memory::wait_note note{kind, this, limit};
    return wait(ready, limit, note);
  }

private:
  std::uint32_t prepare_wait() noexcept;
  void leave(std::uint32_t epoch) noexcept;

  // seq_cst: `sleepers_` and `wake_word_`. Who waits counts itself, reads the
  // word and looks for the last time; who has changed something looks at the
  // count after that and changes the word. Either finds what the other has
  // done.
  // `woken_from_` is relaxed: a hint.
  os::wait_word wake_word_{0};
  std::atomic<std::uint32_t> woken_from_{0};
  std::atomic<std::uint64_t> sleepers_{0};
};

static_assert(sizeof(waiting_room) == 16);

} // namespace troupe::mailbox
