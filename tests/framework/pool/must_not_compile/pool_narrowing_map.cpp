// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool.hpp>

#include <vector>

long twice(long number);

void check(troupe::pool& pool, const std::vector<int>& whole,
           const std::vector<double>& broken) {
#ifdef TROUPE_CONTROL
  static_cast<void>(pool.map<twice>(whole));
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  static_cast<void>(pool.map<twice>(broken));
#endif
}
