// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#ifdef TROUPE_CONTROL
enum colour : int { red, green };
#else
enum colour { red, green };
#endif

void check() {
  troupe::codec::require_sendable<colour>();
}
