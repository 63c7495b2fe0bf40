// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <troupe/os/spin.hpp>

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
