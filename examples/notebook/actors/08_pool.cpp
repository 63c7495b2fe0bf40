// SPDX-License-Identifier: BSL-1.0
// Notebook, "Pooling between processes", in actors: squares of a list, by
// messages to the actor of a pool.

#include <troupe/pool/pool_actor.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>

#include <caf/all.hpp>

#include <cstddef>
#include <iostream>
#include <sstream>
#include <utility>
#include <vector>

int square(int n) {
  // One piece, so that lines of several workers do not mix.
  std::ostringstream line;
  line << "Worker process id for " << n << ": "
       << troupe::current_process().pid() << '\n';
  std::cout << line.str() << std::flush;
  return n * n;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  const std::vector mylist{1, 2, 3, 4, 5};

  //[use
  troupe::pool p;
  const auto workers = actor_of(p);

  const auto request = [&](int n) {
    return troupe::pooling::request<square>(self, workers, caf::infinite, n);
  };

  // all tasks are on their way before an answer is waited for
  std::vector<decltype(request(0))> answers;
  for (const int n : mylist)
    answers.push_back(request(n));

  std::vector<int> result;
  for (auto& each : answers)
    std::move(each).receive([&](int squared) { result.push_back(squared); },
                            [](const caf::error& why) {
                              std::cerr << to_string(why) << std::endl;
                            });
  //]

  std::cout << '[';
  for (std::size_t i = 0; i < result.size(); ++i)
    std::cout << (i == 0 ? "" : ", ") << result[i];
  std::cout << ']' << std::endl;
}
