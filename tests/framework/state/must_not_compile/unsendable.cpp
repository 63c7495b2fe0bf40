// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

struct account {
  int deposit(int amount) {
    return amount;
  }
  int balance = 0;
};

void keep(account&, int* where) {
  static_cast<void>(where);
}

void keep_value(account&, int value) {
  static_cast<void>(value);
}

void check(const troupe::proxy<account>& savings) {
#ifdef TROUPE_CONTROL
  savings.call<&keep_value>(1);
#else
  int number = 0;
  savings.call<&keep>(&number);
#endif
}
