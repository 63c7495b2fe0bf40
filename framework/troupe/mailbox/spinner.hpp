// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/os/tuning.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <utility>

namespace troupe::mailbox {

/// Decides how long it is worth spinning before sleeping, and learns it anew
/// for each thread, or for each place where one waits.
///
/// A hand-over to a thread that spins takes 0.2 µs, to one that sleeps 20 to
/// 60 µs, so the first wait spins for 50 µs. Spins that came to nothing make
/// the next ones rarer, down to one in 64 waits, so that better times are
/// noticed.
///
/// Whether a spin yields is its user's choice. Among busy processes a yield
/// costs a whole slice of time, 100 times what sleep and wake-up cost: a thread
/// that waits for one answer never does. Where one thread serves many, as the
/// hub of actors does, a yield now and then passes work on faster than
/// sleeping.
///
/// Two threads that wake each other on one processor would stay there: never
/// both can run, so the system sees nothing to balance, and no spin can
/// succeed. The one that notices moves to another processor, if it is the
/// library's own or the user has allowed it: see `run_options::move_threads`.
class spinner {
public:
  struct policy {
    /// Spins for so long at most; 0: never.
    std::chrono::nanoseconds longest = tuning::longest_spin;
    /// Pauses between two looks, but for an answer that is expected.
    unsigned pauses = tuning::most_pauses;
    bool yields = false;
  };

  /// For a thread that serves many, where each look is worth its price.
  [[nodiscard]] static constexpr policy
  of_server(std::chrono::nanoseconds longest = tuning::longest_spin) noexcept {
    return {longest, 1, tuning::yields};
  }

  constexpr spinner() noexcept = default;

  constexpr explicit spinner(const policy& how) noexcept : how_(how) {
  }

  /// The calling thread's.
  [[nodiscard]] static spinner& of_this_thread() noexcept {
    return mine;
  }

  /// Spins while it is worth it. Returns true once `ready()` is, false if it is
  /// time to sleep or `limit` passed.
  template <std::predicate Ready>
  [[nodiscard]] bool spin(Ready ready, deadline limit = deadline::never()) {
    if (ready())
      return true;
    if (to_skip_ > 0) {
      --to_skip_;
      return false;
    }
    if (how_.longest.count() == 0 || os::has_one_processor())
      return false;
    // Looks get rarer, so that the cache line with the news is not pulled away
    // from the writer while it is about to write more.
    unsigned pauses = std::exchange(expects_answer_, false) ? 1 : how_.pauses;
    // Most answers are there before it is worth asking for the time.
    clock::time_point start{};
    unsigned timed = 16;
    for (unsigned turn = 0;;) {
      for (unsigned i = 0; i < pauses; ++i, ++turn)
        pause();
      if (ready()) {
        failures_ = 0;
        stay_ = tuning::shortest_stay;
        return true;
      }
      if (pauses < how_.pauses)
        pauses *= 2;
      if (turn < timed)
        continue;
      timed = turn + 16;
      const auto now = clock::now();
      if (start == clock::time_point{})
        start = now;
      if (now - start > how_.longest || now >= limit.when()) {
        give_up();
        return false;
      }
    }
  }

  /// What the thread waits for next may be an answer to what it just did, one
  /// and at once. Otherwise it is one of many: waiting for a few costs less.
  void expect_answer(bool so) noexcept {
    expects_answer_ = so && tuning::expects_answers;
  }

  /// This thread is the library's own: it may move to another processor.
  void allow_moving() noexcept {
    may_move_ = true;
  }

  /// The sleep after a spin in vain, which began at `since`, was ended by a
  /// thread on processor `waker`.
  void woken(deadline::clock::time_point since, unsigned waker) noexcept;

private:
  using clock = deadline::clock;

  void pause() noexcept {
    if (how_.yields && ++since_yield_ >= turns_to_yield_)
      yield();
    else
      os::pause();
  }

  void yield() noexcept;

  void give_up() noexcept {
    if (failures_ < tuning::most_failures)
      ++failures_;
    to_skip_ = (1U << failures_) - 1;
  }

  policy how_{};
  bool expects_answer_ = false;
  bool may_move_ = false;
  std::uint32_t failures_ = 0;
  std::uint32_t to_skip_ = 0;
  unsigned turns_to_yield_ = tuning::fewest_turns_to_yield;
  unsigned since_yield_ = 0;
  /// Short sleeps in a row that were ended from this processor.
  std::uint32_t together_ = 0;
  clock::time_point stay_until_{};
  std::chrono::milliseconds stay_ = tuning::shortest_stay;

  static thread_local spinner mine;
};

inline thread_local constinit spinner spinner::mine;

} // namespace troupe::mailbox
