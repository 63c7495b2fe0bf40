// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/list.hpp>

#include <vector>

namespace held = troupe::held;

void check(const held::list<long>& list, const std::vector<int>& whole,
           const std::vector<double>& broken) {
#ifdef TROUPE_CONTROL
  list.append_range(whole);
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  list.append_range(broken);
#endif
}
