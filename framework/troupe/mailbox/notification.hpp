// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/wait_row.hpp>
#include <troupe/memory/warm_memory.hpp>
#include <troupe/os/wait_word.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace troupe::mailbox {

/// Tells a process that something was published for it. Costs a fence where
/// the process is awake, and a system call where it sleeps.
inline void knock(memory::process_slot& slot) noexcept {
  // Pairs with the fetch_or in `sleep_until_notified`: either we see its bit, or its
  // last look sees what we published.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((slot.wake_word.load(std::memory_order_relaxed) & 1) != 0)
    memory::notify(slot);
}

/// Sleeps until `slot`, the calling process's own, is knocked at or rung.
/// Returns at once where `has_work` holds. May return for no reason.
template <class HasWork>
void sleep_until_notified(memory::process_slot& slot, HasWork has_work,
                          deadline limit) noexcept {
  const auto seen = slot.wake_word.fetch_or(1, std::memory_order_seq_cst) | 1;
  if (!has_work())
    static_cast<void>(memory::warm_memory::wait(slot.wake_word, seen, limit));
}

/// The same; `note` says what for.
template <class HasWork>
void sleep_until_notified(memory::process_slot& slot, HasWork has_work,
                          deadline limit, memory::wait_note& note) noexcept {
  const auto seen = slot.wake_word.fetch_or(1, std::memory_order_seq_cst) | 1;
  if (has_work())
    return;
  note.sleeps(slot.wake_word, seen);
  static_cast<void>(memory::warm_memory::wait(slot.wake_word, seen, limit));
}

/// Decides how long to spin before sleeping.
///
/// A hand-over to a spinning thread takes 0.2 µs, one to a sleeping thread
/// 20 µs and more, so a spin of 50 µs never costs much more than it saves. The
/// budget falls where spinning finds nothing, so that idle and oversubscribed
/// processes soon sleep at once.
///
/// With more busy processes than processors a spin gives the processor away now
/// and then, which passes work on faster than sleeping does. Where nobody wants
/// it that is a system call in vain, in which no work is seen: the next comes
/// after twice as many turns.
class patience {
public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::nanoseconds most{50'000};
  static constexpr std::chrono::nanoseconds least{2'000};

  explicit patience(std::chrono::nanoseconds limit = most) noexcept
    : limit_(limit), budget_(limit) {
  }

  /// Spins until `has_work` holds. Returns false if that was in vain.
  template <class HasWork>
  bool spin(HasWork has_work) noexcept {
    if (limit_.count() == 0)
      return has_work();
    // Most answers are there before it is worth asking for the time.
    clock::time_point start{};
    for (unsigned turn = 0;; ++turn) {
      if (has_work()) {
        budget_ = std::min(limit_, budget_ * 2);
        return true;
      }
      if (++since_yield_ >= between_yields_)
        yield();
      else
        os::spin_pause(0);
      if (turn % 16 != 15)
        continue;
      const auto now = clock::now();
      if (turn == 15)
        start = now;
      else if (now - start > budget_)
        break;
    }
    budget_ = std::max(std::min(least, limit_), budget_ * 3 / 4);
    return false;
  }

  /// The sleep after a spin in vain lasted `slept`: spinning a little longer
  /// would have been right if that was short.
  void woke_after(std::chrono::nanoseconds slept) noexcept {
    if (slept < limit_ * 2)
      budget_ = std::min(limit_, budget_ + limit_ / 4);
  }

private:
  static constexpr unsigned fewest_turns = 16;
  static constexpr unsigned most_turns = 1024;

  void yield() noexcept {
    // Nobody else can have run in less.
    constexpr std::chrono::microseconds shortest_slice{2};
    const auto start = clock::now();
    std::this_thread::yield();
    between_yields_ = clock::now() - start > shortest_slice
                        ? fewest_turns
                        : std::min(between_yields_ * 2, most_turns);
    since_yield_ = 0;
  }

  std::chrono::nanoseconds limit_;
  std::chrono::nanoseconds budget_;
  unsigned between_yields_ = fewest_turns;
  unsigned since_yield_ = 0;
};

} // namespace troupe::mailbox
