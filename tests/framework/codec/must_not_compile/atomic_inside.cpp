// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <atomic>
#include <utility>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::pair<const int, int>>();
#else
  troupe::codec::require_sendable<std::pair<const int, std::atomic<int>>>();
#endif
}
