// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <any>
#include <map>
#include <string>
#include <variant>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::map<std::string, std::variant<int>>>();
#else
  troupe::codec::require_sendable<std::map<std::string, std::any>>();
#endif
}
