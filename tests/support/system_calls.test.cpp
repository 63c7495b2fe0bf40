// SPDX-License-Identifier: BSL-1.0
#include <support/sanitized.hpp>
#include <support/system_calls.hpp>

#include <doctest/doctest.h>

#include <thread>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

void make(int times) {
  for (int i = 0; i < times; ++i)
    static_cast<void>(::syscall(SYS_getppid));
}

void yield_and_make(int times) {
  for (int i = 0; i < times; ++i) {
    std::this_thread::yield();
    make(1);
  }
}

/// As who is woken and moves to another processor.
void move_and_make(int times) {
  cpu_set_t here;
  for (int i = 0; i < times; ++i) {
    static_cast<void>(::sched_getaffinity(0, sizeof here, &here));
    static_cast<void>(::sched_setaffinity(0, sizeof here, &here));
    make(1);
  }
}

} // namespace

TEST_CASE("the system calls of a function are counted, and no others") {
  if (troupe::test::sanitized)
    return;
  CHECK(troupe::test::system_calls_of<make>(10).value_or(10) == 10);
  CHECK(troupe::test::system_calls_of<make>(0).value_or(0) == 0);
}

TEST_CASE("those that wait or wake may be left out") {
  using troupe::test::counted;
  if (troupe::test::sanitized)
    return;
  CHECK(troupe::test::system_calls_of<yield_and_make>(10).value_or(20) == 20);
  CHECK(
    troupe::test::system_calls_of<yield_and_make, counted::besides_waiting>(10)
      .value_or(10)
    == 10);
}

TEST_CASE("those with which a thread that is woken moves are left out too") {
  using troupe::test::counted;
  if (troupe::test::sanitized)
    return;
  CHECK(
    troupe::test::system_calls_of<move_and_make, counted::besides_waiting>(10)
      .value_or(10)
    == 10);
}
