// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/stalls.hpp>
#include <troupe/process/program.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/mutex.hpp>

#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;

//[transfer
/// Moves money from one account to another, each of which has a lock.
void transfer(troupe::mutex from, troupe::mutex to, troupe::barrier at_once) {
  const std::scoped_lock first{from};
  at_once.arrive_and_wait(); // so that it goes wrong each time
  const std::scoped_lock second{to};
}
//]

//[look
/// Looks until something stands still, and says what.
void watch() {
  for (auto before = troupe::inspection::here();;) {
    std::this_thread::sleep_for(100ms);
    auto now = troupe::inspection::here();
    const auto found = troupe::inspection::find_stalls(before, now);
    for (const auto& line : troupe::inspection::sentences(now, found))
      std::cout << line << std::endl;
    if (found.any())
      return;
    before = std::move(now);
  }
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  //[cross
  const troupe::mutex savings;
  const troupe::mutex wages;
  const troupe::barrier at_once{2};
  auto accounts = troupe::start<transfer>({.name = "accounts"}, savings, wages,
                                          at_once);
  auto audit = troupe::start<transfer>({.name = "audit"}, wages, savings,
                                       at_once);
  //]
  watch();
  //[end
  audit.kill();
  std::cout << "accounts " << accounts.join().description() << std::endl;
  //]
}
