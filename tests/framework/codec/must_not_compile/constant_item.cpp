// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<int>();
#else
  troupe::codec::require_sendable<const int>();
#endif
}
