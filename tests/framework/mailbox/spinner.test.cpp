// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/mailbox/spinner.hpp>

#include <troupe/os/processors.hpp>
#include <troupe/process/program.hpp>

#include <support/system_calls.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using troupe::deadline;
using troupe::mailbox::spinner;

namespace {

constexpr auto never = [] { return false; };

/// How many of `waits` that come to nothing spin: those look more than once.
int spins_of(spinner& one, int waits) {
  int result = 0;
  for (int i = 0; i < waits; ++i) {
    int looks = 0;
    static_cast<void>(one.spin([&] {
      ++looks;
      return false;
    }));
    result += looks > 1 ? 1 : 0;
  }
  return result;
}

bool is_alone() {
  return troupe::os::has_one_processor();
}

/// As one that is always woken on its own processor, at once.
void wake_often(spinner& one) {
  for (int i = 0; i < 100; ++i)
    one.woken(deadline::clock::now(), troupe::os::current_processor());
}

void wake_users_thread() {
  wake_often(spinner::of_this_thread());
}

void wake_own_thread() {
  spinner own;
  own.allow_moving();
  wake_often(own);
}

} // namespace

TEST_CASE("a spin ends when what is waited for is there, or the limit passes") {
  spinner one;
  CHECK(one.spin([] { return true; }));
  int looks = 0;
  CHECK((is_alone() || one.spin([&] { return ++looks == 3; })));
  CHECK_FALSE(one.spin(never, deadline::now()));
}

TEST_CASE(
  "spins that come to nothing get rare, and one that succeeds makes them "
  "common again") {
  if (is_alone())
    return;
  spinner one;
  CHECK(spins_of(one, 1000) < 1000 / 32);
  // Until the next one that spins.
  bool succeeded = false;
  for (int i = 0; i < 64 && !succeeded; ++i) {
    int looks = 0;
    succeeded = one.spin([&] { return ++looks == 2; });
  }
  CHECK(succeeded);
  CHECK(spins_of(one, 1) == 1);
}

TEST_CASE("a spinner that may not spin looks once") {
  spinner one{{.longest = 0ns}};
  CHECK(spins_of(one, 10) == 0);
}

TEST_CASE("no thread of the user's is moved unless the run allows it") {
  using troupe::test::counted;
  const auto moves
    = troupe::test::system_calls_of<wake_users_thread, counted::all>();
  const auto allowed
    = troupe::test::system_calls_of<wake_own_thread, counted::all>();
  if (!moves || !allowed) {
    MESSAGE("skipped: processes may not be traced here");
    return;
  }
  CHECK(*moves == 0);
  CHECK((is_alone() || *allowed > 0));
}

int main(int argc, char** argv) {
  const troupe::program program{argc, argv};
  return doctest::Context(argc, argv).run();
}
