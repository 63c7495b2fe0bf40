// SPDX-License-Identifier: BSL-1.0
#pragma once

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

} // namespace troupe::test
