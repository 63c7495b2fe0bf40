// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool.hpp>

#include <cstddef>

long twice(std::size_t number);

void check(troupe::pool& pool, int given) {
#ifdef TROUPE_CONTROL
  static_cast<void>(given);
  static_cast<void>(pool.apply<twice>(3));
#else
  static_cast<void>(pool.apply<twice>(given));
#endif
}
