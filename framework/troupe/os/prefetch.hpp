// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::os {

/// Says that the calling thread will soon write at `place`, so that the
/// processor takes the cache line from the one that read it last. May be any
/// address, and is no access to it.
inline void prefetch_to_write(const void* place) noexcept {
#if defined(__x86_64__)
  // What the compiler makes of its own prefetch depends on the flags, and is a
  // prefetch to read without them.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(place)));
#else
  __builtin_prefetch(place, 1);
#endif
}

} // namespace troupe::os
