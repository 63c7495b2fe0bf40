// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <memory>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::unique_ptr<int>>();
#else
  troupe::codec::require_sendable<std::shared_ptr<int>>();
#endif
}
