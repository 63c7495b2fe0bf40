// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

#include <string>

struct account {
  account(std::string owner, long cents);
  void deposit(long cents);
};

void check(const troupe::proxy<account>& savings) {
#ifdef TROUPE_CONTROL
  savings.call<&account::deposit>(10);
#else
  savings.call<&account::deposit>(10.5);
#endif
}
