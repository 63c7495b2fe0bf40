// SPDX-License-Identifier: BSL-1.0
// Pi by throwing drops at a square, with a progress bar. Each task has a seed
// of its own, so the answer does not depend on who computes what.

#include <troupe/pool/pool.hpp>
#include <troupe/pool/progress_bar.hpp>
#include <troupe/process/program.hpp>

#include <cmath>
#include <cstdint>
#include <iostream>
#include <numbers>
#include <random>
#include <vector>

constexpr std::uint64_t drops_each = 100'000;

/// Returns how many of the drops fall inside the circle.
std::uint64_t throw_drops(std::uint32_t seed) {
  std::mt19937 random{seed};
  std::uniform_real_distribution<double> place{-1.0, 1.0};
  std::uint64_t inside = 0;
  for (std::uint64_t i = 0; i < drops_each; ++i) {
    const auto x = place(random);
    const auto y = place(random);
    inside += x * x + y * y <= 1.0 ? 1 : 0;
  }
  return inside;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  std::vector<std::uint32_t> seeds;
  for (std::uint32_t seed = 1; seed <= 200; ++seed)
    seeds.push_back(seed);

  troupe::pool pool;
  //[progress
  pool.on_progress(troupe::progress_bar{"drops"});
  std::uint64_t inside = 0;
  for (const auto each : pool.map<throw_drops>(seeds, 1))
    inside += each;
  //]
  const auto all = static_cast<double>(seeds.size() * drops_each);
  const auto pi = 4.0 * static_cast<double>(inside) / all;
  const bool good = std::abs(pi - std::numbers::pi) < 0.01;
  std::cout << "pi to two places: " << (good ? "yes" : "no") << std::endl;
}
