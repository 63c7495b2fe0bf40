// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool.hpp>

#include <tuple>
#include <vector>

long sum(long a, long b);

void check(troupe::pool& pool, const std::vector<std::tuple<int, short>>& whole,
           const std::vector<std::tuple<int, double>>& broken) {
#ifdef TROUPE_CONTROL
  static_cast<void>(pool.starmap<sum>(whole));
  static_cast<void>(broken);
#else
  static_cast<void>(whole);
  static_cast<void>(pool.starmap<sum>(broken));
#endif
}
