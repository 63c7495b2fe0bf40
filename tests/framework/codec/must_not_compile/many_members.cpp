// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

struct many {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x;
#ifndef TROUPE_CONTROL
  int y;
#endif
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<many>();
#else
  troupe::codec::require_sendable<many>();
#endif
}
