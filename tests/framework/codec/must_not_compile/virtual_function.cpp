// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

struct speaker {
#ifndef TROUPE_CONTROL
  virtual void speak();
#endif
  int number;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<speaker>();
#else
  troupe::codec::require_sendable<speaker>();
#endif
}
