// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

struct port {
  explicit port(int number) : number_(number) {
  }
  template <class Inspector>
  friend bool inspect(Inspector& f, port& x) {
    return f.apply(x.number_);
  }
  int number_;
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<int>();
#else
  troupe::codec::require_sendable<port>();
#endif
}
