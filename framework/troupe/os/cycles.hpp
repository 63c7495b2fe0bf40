// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace troupe::os {

/// Reads the processor's own clock: a few nanoseconds where asking the system
/// costs twenty-five. Its unit is the processor's; only compare differences
/// with each other, or with `cycle_rate`.
[[nodiscard]] inline std::uint64_t cycles() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return static_cast<std::uint64_t>(
    std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// How many cycles a second has, where that can be asked for; else 0.
[[nodiscard]] inline std::uint64_t cycles_per_second() noexcept {
#if defined(__x86_64__)
  return 0;
#elif defined(__aarch64__)
  std::uint64_t value;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
  return value;
#else
  using period = std::chrono::steady_clock::period;
  return static_cast<std::uint64_t>(period::den / period::num);
#endif
}

/// Finds out how long a cycle is: asks, or looks at both clocks twice.
class cycle_rate {
public:
  using clock = std::chrono::steady_clock;

  cycle_rate() noexcept : start_(clock::now()), start_cycles_(cycles()) {
  }

  /// Returns how many cycles `time` lasts. On x86 that is better the longer the
  /// object lives, and within its first 100 µs a guess: that of 3 GHz.
  [[nodiscard]] std::uint64_t
  cycles_in(std::chrono::nanoseconds time) const noexcept {
    using seconds = std::chrono::duration<double>;
    if (const auto rate = cycles_per_second(); rate != 0)
      return static_cast<std::uint64_t>(static_cast<double>(rate)
                                        * seconds(time).count());
    const auto passed = seconds(clock::now() - start_);
    if (passed < std::chrono::microseconds{100})
      return static_cast<std::uint64_t>(time.count()) * 3;
    const auto rate = static_cast<double>(cycles() - start_cycles_)
                      / passed.count();
    return static_cast<std::uint64_t>(rate * seconds(time).count());
  }

private:
  clock::time_point start_;
  std::uint64_t start_cycles_;
};

} // namespace troupe::os
