// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/process/program.hpp>

#include <support/leftovers.hpp>

#include <cstdlib>
#include <iostream>

/// Runs the tests in the root of a run, and fails if they leave a process or
/// memory of the run behind.
int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  int result = 0;
  {
    troupe::program program{argc, argv};
    result = context.run();
    if (context.shouldExit())
      return result;
    if (const auto left = troupe::test::leftovers(); !left.empty()) {
      std::cerr << "the tests left behind: " << left << std::endl;
      result = result == 0 ? EXIT_FAILURE : result;
    }
  }
  return result;
}
