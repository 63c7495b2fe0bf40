// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

struct account {
  int deposit(int amount) {
    return amount;
  }
  int balance = 0;
};

troupe::held::attempt<int> take(account& of) {
  return of.balance;
}

void check(const troupe::proxy<account>& savings) {
#ifdef TROUPE_CONTROL
  static_cast<void>(savings.call_for<&take>(std::chrono::seconds{1}));
#else
  static_cast<void>(
    savings.call_for<&account::deposit>(std::chrono::seconds{1}, 1));
#endif
}
