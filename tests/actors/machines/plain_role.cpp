// SPDX-License-Identifier: BSL-1.0
//
// A program that does not know of machines; prints its arguments.

#include <troupe/base/error.hpp>
#include <troupe/process/program.hpp>

#include <iostream>

int main(int argc, char** argv) {
  try {
    const troupe::program program{argc, argv};
    std::cout << "arguments:";
    for (const auto* each : program.arguments())
      std::cout << ' ' << each;
    std::cout << std::endl;
    return 0;
  } catch (const troupe::error& failure) {
    std::cout << to_string(failure.code()) << ": " << failure.what()
              << std::endl;
    return 2;
  }
}
