// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void check() {
  int number = 1;
#ifdef TROUPE_CONTROL
  troupe::start([](int n) { static_cast<void>(n); }, number).join();
#else
  troupe::start([number] { static_cast<void>(number); }).join();
#endif
}
