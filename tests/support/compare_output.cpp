// SPDX-License-Identifier: BSL-1.0
// compare_output EXPECTED PROGRAM [ARGUMENT...]
//
// Fails unless the program exits with 0 and prints what the file says.

#include "expected_output.hpp"

#include <iostream>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: compare_output EXPECTED PROGRAM [ARGUMENT...]\n";
    return 2;
  }
  const auto expected = expected_output::read_file(argv[1]);
  if (!expected) {
    std::cerr << "cannot read " << argv[1] << '\n';
    return 2;
  }
  std::string command;
  for (int i = 2; i < argc; ++i)
    command.append("'").append(argv[i]).append("' ");
  const auto [status, output] = expected_output::run(command);
  const auto same = expected_output::matches(expected_output::split(*expected),
                                             expected_output::split(output));
  if (same && status == 0)
    return 0;
  std::cerr << "exit status " << status << "\n--- expected (" << argv[1]
            << ")\n"
            << *expected << "--- printed\n"
            << output << "---\n";
  return 1;
}
