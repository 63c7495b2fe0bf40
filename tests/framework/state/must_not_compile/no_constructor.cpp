// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

struct account {
  int deposit(int amount) {
    return amount;
  }
  int balance = 0;
};

struct coin {
  explicit coin(int worth) : value(worth) {
  }
  int value;
};

void check(const troupe::state& state) {
#ifdef TROUPE_CONTROL
  static_cast<void>(state.make<coin>(1));
#else
  static_cast<void>(state.make<coin>("one"));
#endif
}
