// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace troupe::test {

/// Whether a sanitizer watches this program: it answers SIGSEGV, exhausted
/// stacks and exhausted memory itself, with exit code 1.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#  else
inline constexpr bool sanitized = false;
#  endif
#else
inline constexpr bool sanitized = false;
#endif

/// Threads of the sanitizer's own in a process that has, or had before it was
/// forked, more than one thread.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::size_t sanitizer_threads = 1;
#elif defined(__has_feature)
#  if __has_feature(thread_sanitizer)
inline constexpr std::size_t sanitizer_threads = 1;
#  else
inline constexpr std::size_t sanitizer_threads = 0;
#  endif
#else
inline constexpr std::size_t sanitizer_threads = 0;
#endif

/// Whether stalls can be told: a sanitizer's own thread waits for nothing that
/// is known, so its process may go on, and whoever waits for that process does
/// not stand still.
inline constexpr bool stalls_are_told = sanitizer_threads == 0;

/// Whether a program goes on without a free descriptor:
/// UndefinedBehaviorSanitizer looks at an object through a pipe that it opens,
/// and takes it for a wrong one if it cannot.
#if defined(TROUPE_SANITIZED_UNDEFINED)
inline constexpr bool needs_no_descriptor = false;
#else
inline constexpr bool needs_no_descriptor = true;
#endif

} // namespace troupe::test
