// SPDX-License-Identifier: BSL-1.0

// Other programs, run by a program and by the tasks of a pool.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/process/run_command.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

//[task
std::string sorted(const std::string& lines) {
  const auto result = troupe::run_command(
    {"sort", "-n"},
    {.limit = 10s, .input = lines, .environment = {"LC_ALL=C"}});
  if (!result.success())
    throw std::runtime_error("sort " + result.status.description() + ": "
                             + result.error_output);
  return result.output;
}
//]

//[hard
int hang() {
  return troupe::run_command({"sh", "-c", "sleep 1000 & sleep 1000"})
    .status.code();
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[run
  const auto listed = troupe::run_command({"ls", "/no/such/file"});
  std::cout << "ls " << listed.status.description() << "\n";

  try {
    static_cast<void>(troupe::run_command({"no-such-program"}));
  } catch (const troupe::os_failure& failure) {
    std::cout << failure.what() << "\n";
  }
  //]

  //[limit
  try {
    static_cast<void>(troupe::run_command({"sleep", "1000"}, {.limit = 50ms}));
  } catch (const troupe::timed_out& late) {
    std::cout << late.what() << "\n";
  }
  //]

  //[pool
  troupe::pool pool{2};
  for (const auto& lines :
       pool.map<sorted>(std::vector<std::string>{"10\n9\n", "3\n20\n1\n"}))
    std::cout << "sorted:\n" << lines;
  //]

  //[killed
  troupe::pool hasty{{.size = 1, .hard_limit = 100ms}};
  try {
    hasty.apply<hang>();
  } catch (const troupe::timed_out&) {
    std::cout << "the worker was killed, and both sleeps with it" << std::endl;
  }
  //]
}
