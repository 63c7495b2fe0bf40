// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 14: a second machine.
//[all_of_it
#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

int cook(const std::string& dish, const std::vector<std::string>& with) {
  std::cout << dish << " is on the fire" << std::endl;
  return 10 + 2 * static_cast<int>(with.size());
}

void burn() {
  throw std::runtime_error("the onions are black");
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const auto kitchen = troupe::machines::wait_for("kitchen", 30s);

  auto soup = kitchen.start<cook>("soup",
                                  std::vector<std::string>{"leek", "salt"});
  std::cout << "soup in " << soup.get() << " minutes" << std::endl;

  try {
    kitchen.start<burn>().get();
  } catch (const troupe::remote_error& why) {
    std::cout << why.process_name() << ": " << why.text() << std::endl;
  }
}
//]
