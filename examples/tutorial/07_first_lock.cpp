// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/mutex.hpp>

#include <iostream>
#include <mutex>

void deposit(troupe::value<long> balance, troupe::mutex lock, int times) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock guard{lock};
    balance = balance + 1;
  }
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::value<long> balance{100};
  troupe::mutex lock;
  {
    auto one = troupe::start<deposit>(balance, lock, 100000);
    auto two = troupe::start<deposit>(balance, lock, 100000);
  } // the destructors join
  std::cout << "balance: " << balance << std::endl;
}
//]
