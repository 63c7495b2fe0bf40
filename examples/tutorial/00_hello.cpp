// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>

#include <iostream>

long square(long number) {
  return number * number;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  auto nine = troupe::async<square>(3);
  auto sixteen = troupe::async<square>(4);
  std::cout << "computed in two other processes: " << nine.get() << " and "
            << sixteen.get() << std::endl;
}
//]
