// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

#include <cstddef>

void print(long number, std::size_t places, double width);

void check(int given) {
#ifdef TROUPE_CONTROL
  troupe::start<print>(given, 2, given).join();
#else
  troupe::start<print>(2.5, 2, given).join();
#endif
}
