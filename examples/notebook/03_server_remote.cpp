// SPDX-License-Identifier: BSL-1.0
// Notebook, "Server process", as two programs: this one holds the records,
// publishes them, and runs the other, which uses them over the network.

#include <troupe/network/key.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/process/program.hpp>

#include "records.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace network = troupe::network;

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // the server process
  troupe::state state;

  // creating a list in server process memory
  auto records
    = state.make<record_list>({{"Sam", 10}, {"Adam", 9}, {"Kevin", 9}});

  // for programs that have the key
  const auto key = network::key::random();
  state.bind("records", records);
  const auto where = network::publish(state, network::address{}, key);

  // the other program, which lies beside this one
  ::setenv(key_variable, std::string{key.reveal()}.c_str(), 1);
  const auto other = std::filesystem::read_symlink("/proc/self/exe")
                       .replace_filename("03_record_client");
  return std::system((other.string() + ' ' + to_string(where)).c_str());
}
