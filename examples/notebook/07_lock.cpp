// SPDX-License-Identifier: BSL-1.0
// Notebook, "Synchronization": the concept of locks.

#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/mutex.hpp>

#include <iostream>
#include <mutex>

/// Fewer than in 06_race, which has to run until it goes wrong.
constexpr int times = 1'000'000;

//[withdraw
// function to withdraw from account
void withdraw(troupe::value<int> balance, troupe::mutex lock) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock guard{lock};
    balance = balance - 1;
  }
}
//]

// function to deposit to account
void deposit(troupe::value<int> balance, troupe::mutex lock) {
  for (int i = 0; i < times; ++i) {
    lock.lock();
    balance = balance + 1;
    lock.unlock();
  }
}

void perform_transactions() {
  // initial balance (in shared memory)
  troupe::value<int> balance{100};

  // creating a lock object
  troupe::mutex lock;

  // new processes, started
  troupe::process p1 = troupe::start<withdraw>(balance, lock);
  troupe::process p2 = troupe::start<deposit>(balance, lock);

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
