// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

struct made {
#ifndef TROUPE_CONTROL
  explicit made(int from) : number(from) {
  }
#endif
  int number;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<made>();
#else
  troupe::codec::require_sendable<made>();
#endif
}
