// SPDX-License-Identifier: BSL-1.0
// One task among good ones brings its worker down: it alone fails, with its
// story, and a fresh worker takes the dead one's place.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <csignal>
#include <iostream>
#include <vector>

//[task
int reciprocal_in_percent(int n) {
  if (n == 0) {
    std::cerr << "about to divide by " << n << std::endl;
    std::signal(SIGFPE, SIG_DFL);
    std::raise(SIGFPE);
  }
  return 100 / n;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[stream
  troupe::pool pool{2};
  const std::vector numbers{1, 2, 0, 4, 5};
  auto results = pool.imap<reciprocal_in_percent>(numbers);
  for (const int number : numbers) {
    try {
      const int result = *results.next();
      std::cout << "1/" << number << " is " << result << " %\n";
    } catch (const troupe::remote_error& failure) {
      std::cout << "1/" << number << ": the worker was "
                << failure.status().description()
                << "; it said: " << failure.last_lines();
    }
  }
  //]
  std::cout << "workers: " << pool.size() << std::endl;
}
