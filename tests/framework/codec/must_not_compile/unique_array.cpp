// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <memory>
#include <vector>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::vector<int>>();
#else
  troupe::codec::require_sendable<std::unique_ptr<int[]>>();
#endif
}
