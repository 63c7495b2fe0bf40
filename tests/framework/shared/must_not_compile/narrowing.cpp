// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/array.hpp>

#include <vector>

using list = std::vector<double>;

void check(const std::vector<int>& whole, const list& broken) {
#ifdef TROUPE_CONTROL
  static_cast<void>(troupe::array<long>(whole));
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  static_cast<void>(troupe::array<long>(broken));
#endif
}
