// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>
#include <troupe/state/value.hpp>

namespace held = troupe::held;

void check(const troupe::state& bank) {
#ifdef TROUPE_CONTROL
  static_cast<void>(bank.make<held::value<unsigned long>>(10));
#else
  static_cast<void>(bank.make<held::value<unsigned long>>(10.5));
#endif
}
