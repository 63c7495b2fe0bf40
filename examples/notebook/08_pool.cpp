// SPDX-License-Identifier: BSL-1.0
// Notebook, "Pooling between processes": squares by a pool of workers.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

int square(int n) {
  // One piece, so that the lines of several workers do not mix.
  std::cout << "Worker process id for " + std::to_string(n) + ": "
                 + std::to_string(::getpid()) + "\n"
            << std::flush;
  return n * n;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // input list
  const std::vector<int> mylist{1, 2, 3, 4, 5};

  // creating a pool object
  troupe::pool p;

  // map list to target function
  const auto result = p.map<square>(mylist);

  std::cout << '[';
  for (const auto* separator = ""; const int each : result)
    std::cout << std::exchange(separator, ", ") << each;
  std::cout << "]" << std::endl;
}
