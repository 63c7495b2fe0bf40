// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void increase(int& number);
void print(const int& number);

void check() {
  int number = 1;
#ifdef TROUPE_CONTROL
  troupe::start<print>(number).join();
#else
  troupe::start<increase>(number).join();
#endif
}
