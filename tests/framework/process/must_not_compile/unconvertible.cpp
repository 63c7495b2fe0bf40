// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

#include <string>

void print(const std::string& text);

void check() {
#ifdef TROUPE_CONTROL
  troupe::start<print>("text").join();
#else
  troupe::start<print>(std::string{}.get_allocator()).join();
#endif
}
