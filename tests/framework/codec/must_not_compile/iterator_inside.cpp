// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <list>
#include <vector>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::vector<int>>();
#else
  troupe::codec::require_sendable<std::vector<std::list<int>::iterator>>();
#endif
}
