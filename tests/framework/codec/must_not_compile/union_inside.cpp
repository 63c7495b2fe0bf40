// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <variant>

union either {
  int number;
  double fraction;
};

struct holder {
  either value;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::variant<int, double>>();
#else
  troupe::codec::require_sendable<holder>();
#endif
}
