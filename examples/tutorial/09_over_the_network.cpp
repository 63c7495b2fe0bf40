// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 9: over the network.

#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/mutex.hpp>

#include <iostream>
#include <mutex>
#include <string>

namespace held = troupe::held;
namespace network = troupe::network;

using scores = held::dict<std::string, int>;

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  state.bind("points", points);
  state.bind("lock", state.make<held::mutex>());
  const auto key = network::key::random();
  const auto where = network::publish(state, network::address{}, key);

  //[lock
  const auto far = troupe::connect(where, key);
  const auto far_points = far.find<scores>("points");
  const auto lock = far.find<held::mutex>("lock");
  {
    const std::scoped_lock guard{lock};
    const int sam = far_points["Sam"];
    far_points["Ann"] = 2 * sam;
  }
  const int ann = points["Ann"];
  std::cout << "Ann has " << ann << std::endl;
  //]

  //[wrong
  try {
    const auto other = troupe::connect(where, network::key::random());
  } catch (const troupe::not_authentic&) {
    std::cout << "another key opens nothing" << std::endl;
  }
  //]

  //[lost
  state.end();
  try {
    far_points["Sam"] += 1;
  } catch (const troupe::connection_lost&) {
    std::cout << "the connection is lost" << std::endl;
  }
  //]
}
