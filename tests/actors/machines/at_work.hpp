// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "together.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// A lead that does what it is told, with machines called "kitchen" and
/// "cellar" of the same program.
struct machines_at_work {
  machines_at_work(std::string of, std::vector<std::string> what, int machines)
    : program(std::move(of)), lead{std::move(what), {}, program} {
    for (int i = 0; i < machines; ++i)
      join();
  }

  /// One more joins.
  void join() {
    all.push_back(std::make_unique<joining>(
      lead.where(),
      std::vector<std::string>{all.empty() ? "--troupe.name=kitchen"
                                           : "--troupe.name=cellar"},
      program));
    REQUIRE(all.back()->joins());
  }

  /// All end in order, and nothing is left of them.
  void ends(std::size_t joined) {
    CHECK(exited_with(lead.wait(), 0));
    for (std::size_t i = 0; i < joined; ++i)
      CHECK(exited_with(all.at(i)->wait(), 0));
    CHECK(leaves_nothing(lead.run()));
    for (const auto& each : all)
      CHECK(leaves_nothing(each->run()));
  }

  /// Whether the lead has printed that line, or its begin.
  [[nodiscard]] bool printed(const std::string& line) {
    const bool found = ('\n' + lead.output()).find('\n' + line)
                       != std::string::npos;
    if (!found)
      MESSAGE(lead.output());
    return found;
  }

  const std::string program;
  leading lead;
  std::vector<std::unique_ptr<joining>> all;
};

} // namespace troupe::test
