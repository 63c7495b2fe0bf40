// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/array.hpp>

#include <string_view>

void make() {
#ifdef TROUPE_CONTROL
  troupe::array<char> shared(4);
#else
  troupe::array<std::string_view> shared(4);
#endif
}
