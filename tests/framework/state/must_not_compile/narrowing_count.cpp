// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/dict.hpp>

#include <map>

namespace held = troupe::held;

void check(const held::dict<int, long>& dict, const std::map<int, int>& whole,
           const std::map<int, double>& broken) {
#ifdef TROUPE_CONTROL
  dict.add_or_insert_many(whole);
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  dict.add_or_insert_many(broken);
#endif
}
