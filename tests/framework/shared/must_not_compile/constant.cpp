// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/value.hpp>

void make() {
#ifdef TROUPE_CONTROL
  troupe::value<int> shared;
#else
  troupe::value<const int> shared;
#endif
}
