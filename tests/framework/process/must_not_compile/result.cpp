// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

int* find();
int count();

void check() {
#ifdef TROUPE_CONTROL
  static_cast<void>(troupe::async<count>().get());
#else
  static_cast<void>(troupe::async<find>().get());
#endif
}
