// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <troupe/os/spin.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <sched.h>

using namespace troupe;

TEST_CASE("a spin looks before its first pause") {
  int looks = 0;
  CHECK(os::spin({.pauses = 0}, [&] { return ++looks == 1; }));
  CHECK(looks == 1);
}

TEST_CASE("a spin ends after the pauses of its policy, with a last look") {
  int looks = 0;
  CHECK_FALSE(os::spin({.pauses = 10}, [&] {
    ++looks;
    return false;
  }));
  CHECK(looks == 11);
}

TEST_CASE("looks get rarer up to the longest gap") {
  // One pause before the second look, then 2, 4, 4, 4, ...
  int looks = 0;
  CHECK_FALSE(os::spin({.pauses = 15, .longest_gap = 4}, [&] {
    ++looks;
    return false;
  }));
  CHECK(looks == 6);
}

TEST_CASE("a change that comes during a spin ends it") {
  int looks = 0;
  CHECK(os::spin({.pauses = 1000, .longest_gap = 64, .yield_every = 16},
                 [&] { return ++looks == 5; }));
  CHECK(looks == 5);
}

TEST_CASE("whoever does something between two looks is told when to sleep") {
  os::spinning turns{{.pauses = 3}};
  CHECK(turns.pause());
  CHECK(turns.pause());
  CHECK(turns.pause());
  CHECK_FALSE(turns.pause());
}

TEST_CASE("where others want the processor a spin that yields is soon over") {
  // In a thread of its own, since it moves.
  std::thread{[] {
    // Three busy threads on one processor: each yield costs slices of time.
    ::cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    std::atomic<bool> over = false;
    std::vector<std::thread> busy;
    for (int i = 0; i < 2; ++i)
      busy.emplace_back([&] {
        while (!over)
          os::pause();
      });
    std::int64_t looks = 0;
    constexpr unsigned most = 1'000'000;
    CHECK_FALSE(os::spin({.pauses = most, .yield_every = 1}, [&] {
      ++looks;
      return false;
    }));
    CHECK(looks < most);
    over = true;
    for (auto& each : busy)
      each.join();
  }}.join();
}
