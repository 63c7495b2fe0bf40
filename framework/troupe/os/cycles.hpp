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

/// Finds out how long a cycle is, from two looks at both clocks.
class cycle_rate {
public:
  using clock = std::chrono::steady_clock;

  cycle_rate() noexcept : start_(clock::now()), start_cycles_(cycles()) {
  }

  /// Returns how many cycles `time` lasts; better the longer the object lives.
  [[nodiscard]] std::uint64_t
  cycles_in(std::chrono::nanoseconds time) const noexcept {
    const auto passed = std::chrono::duration<double>(clock::now() - start_);
    if (passed < std::chrono::microseconds{100})
      return static_cast<std::uint64_t>(time.count()) * 3;
    const auto rate = static_cast<double>(cycles() - start_cycles_)
                      / passed.count();
    return static_cast<std::uint64_t>(
      rate * std::chrono::duration<double>(time).count());
  }

private:
  clock::time_point start_;
  std::uint64_t start_cycles_;
};

} // namespace troupe::os
