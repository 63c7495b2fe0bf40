// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/array.hpp>

void make() {
#ifdef TROUPE_CONTROL
  troupe::array<int> shared(4);
#else
  troupe::array<int*> shared(4);
#endif
}
