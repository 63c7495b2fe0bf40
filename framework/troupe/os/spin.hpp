// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>

namespace troupe::os {

/// Tells the processor that this thread looks for a change in a loop. Takes
/// some ten nanoseconds; no system call.
inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Lets another thread have the processor, if one wants it. A system call.
void yield() noexcept;

/// How a thread looks for a change before it sleeps. Those that are used stand
/// in os/tuning.hpp.
struct spin_policy {
  /// So many pauses at most, over all looks.
  unsigned pauses = 0;
  /// Between two looks lies one pause, then two, four, and so on up to this
  /// many: looks get rarer, so that the cache line stays with whoever is about
  /// to change it.
  unsigned longest_gap = 1;
  /// In place of each such pause the thread yields: whoever has the lock may
  /// need this very processor. 0: never. Where the yields take longer than
  /// `longest_yields` together, as they do among busy processes, it is time to
  /// sleep.
  unsigned yield_every = 0;
};

/// For so long a thread yields at most before it sleeps, in nanoseconds. A
/// yield that nobody wants takes less than a microsecond, one among busy
/// processes a whole slice of time of each of them.
inline constexpr std::int64_t longest_yields = 2'000'000;

/// The pauses of one thread that looks for a change.
class spinning {
public:
  constexpr explicit spinning(const spin_policy& how) noexcept : how_(how) {
  }

  /// Pauses between two looks. Returns false, without a pause, if it is time to
  /// sleep.
  bool pause() noexcept {
    if (turn_ >= how_.pauses)
      return false;
    for (unsigned i = 0; i < gap_; ++i)
      if (++turn_; how_.yield_every != 0 && turn_ % how_.yield_every == 0)
        yield_in_time();
      else
        os::pause();
    if (gap_ < how_.longest_gap)
      gap_ *= 2;
    return true;
  }

private:
  /// Yields, and ends the spin where that has taken too long.
  void yield_in_time() noexcept;

  spin_policy how_;
  unsigned turn_ = 0;
  unsigned gap_ = 1;
  std::int64_t yielded_ = 0;
};

/// Looks until `ready()` is true. Returns false if it is not, and it is time to
/// sleep.
template <std::predicate Ready>
[[nodiscard]] bool spin(const spin_policy& how, Ready ready) {
  for (spinning turns{how}; !ready();)
    if (!turns.pause())
      return false;
  return true;
}

} // namespace troupe::os
