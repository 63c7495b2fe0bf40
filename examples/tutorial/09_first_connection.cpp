// SPDX-License-Identifier: BSL-1.0
//[all_of_it
#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace network = troupe::network;
using scores = troupe::held::dict<std::string, int>;

int play(const std::string& where) {
  const network::key key{std::getenv("SCORES_KEY")};
  const auto far = troupe::connect(network::address::parse(where), key);
  const auto points = far.find<scores>("points");
  points["Sam"] += 1;
  return 0;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  if (argc > 1)
    return play(argv[1]);

  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  state.bind("points", points);
  const auto key = network::key::random();
  const auto where = network::publish(state, network::address{}, key);

  ::setenv("SCORES_KEY", std::string{key.reveal()}.c_str(), 1);
  const auto client = std::string{argv[0]} + ' ' + to_string(where);
  if (std::system(client.c_str()) != 0)
    return 1;
  const int sam = points["Sam"];
  std::cout << "Sam has " << sam << std::endl;
}
//]
