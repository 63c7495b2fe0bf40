// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool.hpp>

#include <vector>

long twice(unsigned number);

void check(troupe::pool& pool, const std::vector<unsigned char>& small,
           const std::vector<int>& signed_ones) {
#ifdef TROUPE_CONTROL
  static_cast<void>(pool.imap<twice>(small).next());
  static_cast<void>(signed_ones);
#else
  static_cast<void>(small);
  static_cast<void>(pool.imap<twice>(signed_ones).next());
#endif
}
