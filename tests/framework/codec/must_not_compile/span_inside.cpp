// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/codec.hpp>

#include <optional>
#include <span>

void check() {
#ifdef TROUPE_CONTROL
  troupe::codec::require_sendable<std::optional<int>>();
#else
  troupe::codec::require_sendable<std::optional<std::span<int>>>();
#endif
}
