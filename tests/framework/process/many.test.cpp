// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/process.hpp>

#include <troupe/process/program.hpp>

#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <iostream>
#include <vector>

using troupe::test::sleep_for_ever;

TEST_CASE("a hundred short processes end with their own codes") {
  std::vector<troupe::process> children;
  for (int i = 0; i < 100; ++i)
    children.push_back(troupe::start([](int code) { std::exit(code); }, i));
  for (int i = 0; i < 100; ++i)
    CHECK(children[static_cast<std::size_t>(i)].join().code() == i);
}

TEST_CASE("a thousand processes are alive at once") {
  constexpr std::size_t count = 1000;
  const auto start = std::chrono::steady_clock::now();
  std::vector<troupe::process> children;
  for (std::size_t i = 0; i < count; ++i)
    children.push_back(troupe::start<sleep_for_ever>());
  std::size_t alive = 0;
  for (auto& child : children)
    alive += child.pid() > 0;
  CHECK(alive == count);
  CHECK(troupe::active_children().size() == count);
  for (auto& child : children)
    child.kill();
  std::size_t killed = 0;
  for (auto& child : children)
    killed += child.join().signal() == SIGKILL;
  CHECK(killed == count);
  CHECK(troupe::active_children().empty());
  std::cout << count << " processes in "
            << std::chrono::duration<double>(std::chrono::steady_clock::now()
                                             - start)
                 .count()
            << " s\n";
}
