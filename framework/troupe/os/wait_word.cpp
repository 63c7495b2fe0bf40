// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/wait_word.hpp>

#include <troupe/os/held_threads.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

long futex(const wait_word& word, int operation, std::uint32_t value,
           const timespec* limit) noexcept {
  return ::syscall(SYS_futex, reinterpret_cast<const std::uint32_t*>(&word),
                   operation, value, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
}

// ThreadSanitizer holds a signal back until its thread calls something that it
// knows. A futex is not that, and sleeps on after a signal: Ctrl-C would never
// arrive. So with it a sleeper looks up now and then; rarely enough that who
// sleeps for some tenths of a second, to do something then, gets there.
#if defined(__SANITIZE_THREAD__)
constexpr bool looks_up = true;
#elif defined(__has_feature)
constexpr bool looks_up = __has_feature(thread_sanitizer);
#else
constexpr bool looks_up = false;
#endif
constexpr auto longest_sleep = std::chrono::milliseconds{300};

} // namespace

bool wait(const wait_word& word, std::uint32_t expected,
          deadline limit) noexcept {
  timespec until{};
  const timespec* until_or_never = nullptr;
  if (limit.passed())
    return false;
  const auto whole = limit;
  if (looks_up)
    limit = std::min(limit, deadline::after(longest_sleep));
  if (!limit.is_never()) {
    // steady_clock counts CLOCK_MONOTONIC from the same zero on Linux, and the
    // BITSET form takes an absolute time, so a signal does not restart it.
    const auto since = limit.when().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    until.tv_sec = static_cast<time_t>(seconds.count());
    until.tv_nsec
      = static_cast<long>(std::chrono::nanoseconds{since - seconds}.count());
    until_or_never = &until;
  }
  const auto answer = futex(word, FUTEX_WAIT_BITSET, expected, until_or_never);
  const bool look_again = answer == 0 || errno != ETIMEDOUT || limit < whole;
  stay_if_held();
  return look_again;
}

int wake(const wait_word& word, int count) noexcept {
  const auto woken = futex(word, FUTEX_WAKE, static_cast<std::uint32_t>(count),
                           nullptr);
  return woken < 0 ? 0 : static_cast<int>(woken);
}

int wake_all(const wait_word& word) noexcept {
  return wake(word, INT_MAX);
}

} // namespace troupe::os
