// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

#include <string>

struct account {
  account(std::string owner, long cents);
};

void check(const troupe::state& bank) {
#ifdef TROUPE_CONTROL
  static_cast<void>(bank.make<account>("Sam", 10));
#else
  static_cast<void>(bank.make<account>("Sam", 10.5));
#endif
}
