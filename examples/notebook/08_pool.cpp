// SPDX-License-Identifier: BSL-1.0
// Notebook, "Pooling between processes": squares of a list, by a pool.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <cstddef>
#include <iostream>
#include <sstream>
#include <vector>

int square(int n) {
  // One piece, so that lines of several workers do not mix.
  std::ostringstream line;
  line << "Worker process id for " << n << ": "
       << troupe::current_process().pid() << '\n';
  std::cout << line.str() << std::flush;
  return n * n;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  const std::vector mylist{1, 2, 3, 4, 5};

  //[use
  troupe::pool p;

  const auto result = p.map<square>(mylist);
  //]

  std::cout << '[';
  for (std::size_t i = 0; i < result.size(); ++i)
    std::cout << (i == 0 ? "" : ", ") << result[i];
  std::cout << ']' << std::endl;
}
