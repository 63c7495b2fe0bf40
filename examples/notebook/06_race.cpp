// SPDX-License-Identifier: BSL-1.0
// Notebook, "Synchronization": the concept of a race condition.

#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>

#include <iostream>

/// Python's 10,000 would be over here before the other process has started.
constexpr int times = 30'000'000;

//[withdraw
/// Withdraws from the account. Reading the balance is one step and writing it
/// another; what the other process writes in between is lost. Each step alone
/// is atomic, so the result is wrong but the behaviour is defined.
void withdraw(troupe::value<int> balance) {
  for (int i = 0; i < times; ++i)
    balance = balance - 1;
}
//]

/// Deposits to the account.
void deposit(troupe::value<int> balance) {
  for (int i = 0; i < times; ++i)
    balance = balance + 1;
}

void perform_transactions() {
  // initial balance (in shared memory)
  troupe::value<int> balance{100};

  // new processes, started
  troupe::process p1 = troupe::start<withdraw>(balance);
  troupe::process p2 = troupe::start<deposit>(balance);

  // wait until the processes are finished
  p1.join();
  p2.join();

  std::cout << "Final balance = " << balance << std::endl;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // perform the same transactions 10 times
  for (int i = 0; i < 10; ++i)
    perform_transactions();
}
