// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/network/connect.hpp>

#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>

namespace held = troupe::held;
namespace network = troupe::network;

using scores = held::dict<std::string, int>;

//[client
int play(const std::string& where) {
  const network::key key{std::getenv("SCORES_KEY")};
  const auto far = troupe::connect(network::address::parse(where), key);
  const auto points = far.find<scores>("points");
  points["Sam"] += 1;

  const auto lock = far.find<held::mutex>("lock");
  const std::scoped_lock guard{lock};
  const int sam = points["Sam"];
  points["Ann"] = 2 * sam;
  return 0;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  if (argc > 1)
    return play(argv[1]);

  //[publish
  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  state.bind("points", points);
  state.bind("lock", state.make<held::mutex>());

  const auto key = network::key::random();
  const auto where = state.publish(network::address{}, key);
  //]

  //[another
  ::setenv("SCORES_KEY", std::string{key.reveal()}.c_str(), 1);
  const auto command = std::string{argv[0]} + ' ' + to_string(where);
  if (std::system(command.c_str()) != 0)
    return 1;
  const int sam = points["Sam"];
  const int ann = points["Ann"];
  std::cout << "Sam has " << sam << ", Ann has " << ann << std::endl;
  //]

  //[wrong
  try {
    const auto far = troupe::connect(where, network::key::random());
  } catch (const troupe::not_authentic&) {
    std::cout << "another key opens nothing" << std::endl;
  }
  //]

  //[lost
  const auto far = troupe::connect(where, key);
  const auto far_points = far.find<scores>("points");
  state.end();
  try {
    far_points["Sam"] += 1;
  } catch (const troupe::connection_lost&) {
    std::cout << "the connection is lost" << std::endl;
  }
  //]
}
