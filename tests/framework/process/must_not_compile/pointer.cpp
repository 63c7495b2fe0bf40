// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void print(int number);

void check() {
#ifdef TROUPE_CONTROL
  troupe::start<print>(1).join();
#else
  troupe::start(print, 1).join();
#endif
}
