// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/wait_word.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>

namespace troupe::mailbox {

/// How long it is worth spinning before sleeping: learned anew by each thread.
///
/// A spinning hand-over takes 0.2 µs and a sleeping one 20 to 60 µs, so the
/// first wait spins for 50 µs. Spins that came to nothing make the next ones
/// rarer (one in 64 waits at the least, so that better times are noticed), and
/// a thread that lost the processor while it spun lets it be for 20 ms: then
/// there are more runnable threads than processors, and the one that is waited
/// for needs this very processor.
class spinner {
public:
  /// The calling thread's.
  [[nodiscard]] static spinner& of_this_thread() noexcept;

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
    const bool probing = failures_ > 2;
    unsigned pauses = 1;
    for (unsigned turn = 0;;) {
      // Looks get rarer, so that the cache line with the news is not pulled
      // away from the writer while it is about to write more.
      for (unsigned i = 0; i < pauses; ++i, ++turn)
        os::spin_pause(probing ? turn & ~15U : turn);
      if (ready()) {
        failures_ = 0;
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

private:
  using clock = deadline::clock;

  static constexpr unsigned most_pauses = 16;
  static constexpr auto longest = std::chrono::microseconds{50};
  static constexpr auto lost_processor = std::chrono::microseconds{300};
  static constexpr auto crowded_time = std::chrono::milliseconds{20};

  [[nodiscard]] static bool single_processor();

  void give_up() noexcept {
    if (failures_ < 6)
      ++failures_;
    to_skip_ = (1U << failures_) - 1;
  }

  std::uint32_t failures_ = 0;
  std::uint32_t to_skip_ = 0;
  clock::time_point crowded_until_ = clock::time_point::min();
};

} // namespace troupe::mailbox
