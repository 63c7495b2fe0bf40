// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <vector>

long square(long n) {
  return n * n;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::pool pool{2};
  std::cout << "one: " << pool.apply<square>(7) << '\n';
  for (const long each : pool.map<square>(std::vector{1L, 2L, 3L}))
    std::cout << each << ' ';
  std::cout << '\n';
}
//]
