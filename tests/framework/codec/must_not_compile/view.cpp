// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <string>
#include <string_view>
#include <vector>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::vector<std::string>>();
#else
  troupe::codec::require_sendable<std::vector<std::string_view>>();
#endif
}
