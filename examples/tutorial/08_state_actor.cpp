// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 8: the state actor.

#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/queue.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace held = troupe::held;

using scores = held::dict<std::string, int>;

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  troupe::state state;
  auto points = state.make<scores>();
  points["Sam"] = 10;
  points["Ann"] = 20;

  //[update
  points.update(
    [](std::unordered_map<std::string, int>& all, int fee) {
      for (auto& [name, score] : all)
        score -= fee;
    },
    5);
  std::cout << "after a fee of 5 Ann has " << points.at("Ann") << std::endl;
  //]

  //[count
  auto words = state.make<scores>();
  for (const auto* word : {"to", "be", "or", "not", "to", "be"})
    words.add_or_insert(word, 1);
  std::cout << "\"be\" was said " << words.at("be") << " times" << std::endl;
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

  state.process().kill();
  try {
    points["Sam"] += 1;
  } catch (const troupe::peer_died& thrown) {
    std::cout << "the state is gone, and Sam's points with it" << std::endl;
  }
  //]
}
