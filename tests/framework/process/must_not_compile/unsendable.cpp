// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

void show(const char* text);
void print(int number);

void check() {
#ifdef TROUPE_CONTROL
  troupe::start<print>(3).join();
#else
  troupe::start<show>("text").join();
#endif
}
