// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>

#include <iostream>
#include <string>

using scores = troupe::held::dict<std::string, int>;

void play(scores points, std::string name, int rounds) {
  for (int i = 0; i < rounds; ++i)
    points[name] += 1;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  {
    auto first = troupe::start<play>(points, "Sam", 1000);
    auto second = troupe::start<play>(points, "Sam", 1000);
  } // the destructors join
  const int sam = points["Sam"];
  std::cout << "Sam has " << sam << std::endl;
}
//]
