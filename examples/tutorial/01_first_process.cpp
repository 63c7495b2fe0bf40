// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>

#include <iostream>
#include <string>

void greet(const std::string& name, int times) {
  for (int i = 0; i < times; ++i)
    std::cout << "hello " << name << " from "
              << troupe::current_process().name() << std::endl;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::process child = troupe::start<greet>("bob", 2);
  const auto status = child.join();
  std::cout << child.name() << " " << status.description() << std::endl;
}
//]
