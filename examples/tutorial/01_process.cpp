// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 1: a process.

#include <troupe/process/program.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <thread>

long sum_to(long last) {
  long sum = 0;
  for (long i = 1; i <= last; ++i)
    sum += i;
  return sum;
}

//[failure
long divide(long a, long b) {
  if (b == 0)
    throw std::domain_error{"division by zero"};
  return a / b;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[future
  troupe::future<long> sum = troupe::async<sum_to>(1000);
  std::cout << "the sum is " << sum.get() << std::endl;
  //]

  //[catch
  try {
    troupe::async<divide>(1, 0).get();
  } catch (const troupe::remote_error& failure) {
    std::cout << failure.type() << ": " << failure.text() << std::endl;
  }
  //]

  //[kill
  auto sleeper = troupe::start([] {
    for (;;)
      std::this_thread::sleep_for(std::chrono::hours{1});
  });
  using namespace std::chrono_literals;
  std::cout << (sleeper.join_for(10ms) ? "it ended" : "it still sleeps")
            << std::endl;
  sleeper.terminate();
  std::cout << "the sleeper was " << sleeper.join().description() << std::endl;
  //]
}
