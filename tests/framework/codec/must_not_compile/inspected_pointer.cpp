// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#ifdef TROUPE_CONTROL
using link_type = int;
#else
using link_type = int*;
#endif

struct linked {
  link_type link = {};
};

template <class Inspector>
bool inspect(Inspector& f, linked& x) {
  return f.object(x).fields(f.field("link", x.link));
}

void check() {
  static_cast<void>(troupe::codec::encode(linked{}));
}
