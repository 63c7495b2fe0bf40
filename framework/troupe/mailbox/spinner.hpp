// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/wait_word.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <utility>

namespace troupe::mailbox {

/// How long it is worth spinning before sleeping: learned anew by each thread.
///
/// A spinning hand-over takes 0.2 µs and a sleeping one 20 to 60 µs, so the
/// first wait spins for 50 µs. Spins that came to nothing make the next ones
/// rarer (one in 64 waits at the least, so that better times are noticed), and
/// a thread that lost the processor while it spun lets it be for 20 ms: then
/// there are more runnable threads than processors, and the one that is waited
/// for needs this very processor. Spinning never yields: among busy processes a
/// yield costs a whole slice of time, 100 times what sleep and wake-up cost.
///
/// Two threads that wake each other on one processor would stay there: never
/// both can run, so the system sees nothing to balance, and no spin can succeed.
/// The one that notices moves to another processor.
class spinner {
public:
  /// The calling thread's.
  [[nodiscard]] static spinner& of_this_thread() noexcept {
    return mine;
  }

  /// Spins while it is worth it. Returns true once `ready()` is, false if it is
  /// time to sleep or `limit` passed.
  template <std::predicate Ready>
  [[nodiscard]] bool spin(Ready ready, deadline limit) {
    if (ready())
      return true;
    if (to_skip_ > 0) {
      --to_skip_;
      return false;
    }
    auto last = clock::now();
    if (last < crowded_until_ || single_processor())
      return false;
    const auto start = last;
    // Looks get rarer, so that the cache line with the news is not pulled away
    // from the writer while it is about to write more.
    unsigned pauses = std::exchange(expects_answer_, false) ? 1 : most_pauses;
    for (unsigned turn = 0;;) {
      for (unsigned i = 0; i < pauses; ++i, ++turn)
        os::spin_pause(0);
      if (ready()) {
        failures_ = 0;
        stay_ = shortest_stay;
        return true;
      }
      if (pauses < most_pauses)
        pauses *= 2;
      if (turn < 16)
        continue;
      const auto now = clock::now();
      if (now - last > lost_processor) {
        crowded_until_ = now + crowded_time;
        return ready();
      }
      last = now;
      if (now - start > longest || now >= limit.when()) {
        give_up();
        return false;
      }
    }
  }

  /// What the thread waits for next may be an answer to what it just did, one
  /// and at once. Otherwise it is one of many: waiting for a few costs less.
  void expect_answer(bool so) noexcept {
    expects_answer_ = so;
  }

  /// The sleep after a spin in vain, which began at `since`, was ended by a
  /// thread on processor `waker`.
  void woken(deadline::clock::time_point since, unsigned waker) noexcept;

private:
  using clock = deadline::clock;

  static constexpr unsigned most_pauses = 32;
  static constexpr auto longest = std::chrono::microseconds{50};
  static constexpr auto lost_processor = std::chrono::microseconds{300};
  static constexpr auto crowded_time = std::chrono::milliseconds{20};
  /// Of whoever sleeps no longer than that, a longer spin would have succeeded
  /// on another processor.
  static constexpr auto short_sleep = 4 * longest;
  static constexpr std::uint32_t wakes_in_a_row = 8;
  static constexpr std::chrono::milliseconds shortest_stay{1};
  static constexpr std::chrono::milliseconds longest_stay{500};

  [[nodiscard]] static bool single_processor();

  void give_up() noexcept {
    if (failures_ < 6)
      ++failures_;
    to_skip_ = (1U << failures_) - 1;
  }

  bool expects_answer_ = false;
  std::uint32_t failures_ = 0;
  std::uint32_t to_skip_ = 0;
  /// Short sleeps in a row that were ended from this processor.
  std::uint32_t together_ = 0;
  clock::time_point crowded_until_ = clock::time_point::min();
  clock::time_point stay_until_{};
  std::chrono::milliseconds stay_ = shortest_stay;

  static thread_local spinner mine;
};

inline thread_local constinit spinner spinner::mine;

} // namespace troupe::mailbox
