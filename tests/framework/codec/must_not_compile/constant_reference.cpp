// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

struct watcher {
  const int id;
#ifndef TROUPE_CONTROL
  const int& watched;
#endif
};

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<watcher>();
#else
  troupe::codec::require_sendable<watcher>();
#endif
}
