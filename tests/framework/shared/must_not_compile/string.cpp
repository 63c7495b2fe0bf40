// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/value.hpp>

#include <string>

void make() {
#ifdef TROUPE_CONTROL
  troupe::value<int> shared;
#else
  troupe::value<std::string> shared;
#endif
}
