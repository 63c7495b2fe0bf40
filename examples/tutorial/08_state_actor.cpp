// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/queue.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace held = troupe::held;

//[worker
using scores = held::dict<std::string, int>;

void play(scores of, std::string name, int rounds) {
  for (int i = 0; i < rounds; ++i)
    of[name] += 1;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[state
  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  points["Ann"] = 20;
  //]

  //[play
  auto first = troupe::start<play>(points, "Sam", 1000);
  auto second = troupe::start<play>(points, "Sam", 1000);
  first.join();
  second.join();
  const int sam = points["Sam"];
  std::cout << "Sam has " << sam << std::endl;
  //]

  //[update
  const int taken = points.update(
    [](std::unordered_map<std::string, int>& all, int fee) {
      int sum = 0;
      for (auto& [name, score] : all) {
        score -= fee;
        sum += fee;
      }
      return sum;
    },
    5);
  std::cout << "a fee of 5 for each: " << taken << std::endl;
  //]

  //[bulk
  points.set_many(
    std::vector<std::pair<std::string, int>>{{"Tom", 1}, {"Eve", 2}});
  int sum = 0;
  for (const auto& [name, score] : points)
    sum += score;
  std::cout << points.size() << " players have " << sum << std::endl;
  //]

  //[nested
  using names = held::list<std::string>;
  auto teams = state.make<held::dict<std::string, names>>();
  teams.set("red", state.make<names>({"Sam", "Ann"}));
  teams.at("red").push_back("Tom");
  for (const auto& name : teams.at("red"))
    std::cout << name << " plays for red" << std::endl;
  //]

  //[wait
  auto tasks = state.make<held::queue<int>>();
  auto worker = troupe::start([](held::queue<int> from,
                                 scores into) { into["work"] = from.get(); },
                              tasks, points);
  tasks.put(42);
  worker.join();
  std::cout << "the worker got " << points.at("work") << std::endl;
  //]

  //[failure
  try {
    static_cast<void>(points.at("Bob"));
  } catch (const troupe::remote_error& thrown) {
    std::cout << thrown.type() << ": " << thrown.text() << std::endl;
  }
  //]

  //[death
  state.process().kill();
  try {
    points["Sam"] += 1;
  } catch (const troupe::peer_died& thrown) {
    std::cout << "the state is gone, and Sam's points with it" << std::endl;
  }
  //]
}
