// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void add(int a, int b);

void check() {
#ifdef TROUPE_CONTROL
  troupe::start<add>(1, 2).join();
#else
  troupe::start<add>(1).join();
#endif
}
