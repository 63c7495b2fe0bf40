// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

#include <sys/types.h>

namespace troupe::os {

/// What a thread has had of the processors so far. Unlike the time that has
/// passed it says nothing about how busy others are.
struct thread_use {
  std::chrono::nanoseconds time{0};
  /// How often it gave its processor up to wait for something.
  long waits = 0;

  /// Returns the calling thread's. Two system calls, 0.5 µs.
  [[nodiscard]] static thread_use of_this_thread() noexcept;
};

/// Names a thread of this process, for others to look at while it lives.
class thread_mark {
public:
  thread_mark() noexcept = default;

  [[nodiscard]] static thread_mark of_this_thread() noexcept;

  /// Returns how long it has run.
  [[nodiscard]] std::chrono::nanoseconds time() const noexcept;

  /// Whether it waits for something other than a processor.
  [[nodiscard]] bool waits() const noexcept;

private:
  clockid_t clock_{};
  std::int32_t id_ = 0;
};

} // namespace troupe::os
