// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

#include <cstddef>

std::size_t twice(std::size_t number);

void check(int given) {
  const troupe::start_options options{.name = "twice"};
#ifdef TROUPE_CONTROL
  static_cast<void>(given);
  static_cast<void>(troupe::async<twice>(options, 3).get());
#else
  static_cast<void>(troupe::async<twice>(options, given).get());
#endif
}
