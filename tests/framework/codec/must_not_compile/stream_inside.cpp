// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <fstream>
#include <utility>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::pair<int, int>>();
#else
  troupe::codec::require_sendable<std::pair<int, std::ofstream>>();
#endif
}
