// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void check() {
#ifdef TROUPE_CONTROL
  troupe::start([](int n) { static_cast<void>(n); }, 1).join();
#else
  troupe::start([](auto n) { static_cast<void>(n); }, 1).join();
#endif
}
