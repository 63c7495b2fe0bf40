// SPDX-License-Identifier: BSL-1.0
#include <troupe/core.hpp>
#include <troupe/network/connect.hpp>
#include <troupe/network/publish.hpp>

namespace held = troupe::held;
namespace network = troupe::network;

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::state state;
  state.bind("numbers", state.make<held::list<int>>({1, 2}));
  const auto key = network::key::random();
  const auto where = network::publish(state, network::address{}, key);
  const auto far = troupe::connect(where, key);
  return far.find<held::list<int>>("numbers").size() == 2 ? 0 : 1;
}
