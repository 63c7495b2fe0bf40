// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <functional>
#include <set>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::set<int>>();
#else
  troupe::codec::require_sendable<
    std::set<int, std::function<bool(int, int)>>>();
#endif
}
