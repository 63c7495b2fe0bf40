// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

struct account {
  int deposit(int amount) {
    return amount;
  }
  int balance = 0;
};

void check(const troupe::proxy<account>& savings) {
#ifdef TROUPE_CONTROL
  savings.call<&account::deposit>(1);
#else
  savings.call<&account::deposit>(1, 2);
#endif
}
