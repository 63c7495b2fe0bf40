// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <vector>

struct base {
  int number;
};

struct derived : base {
  int other;
};

struct composed {
  base first;
  int other;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::vector<composed>>();
#else
  troupe::codec::require_sendable<std::vector<derived>>();
#endif
}
