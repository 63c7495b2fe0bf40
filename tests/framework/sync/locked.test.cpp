// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/locked.hpp>

#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>

#include <doctest/doctest.h>

#include "crew.hpp"

#include <mutex>

using namespace std::chrono_literals;

namespace {

using locked_number = troupe::locked<troupe::value<long>>;
using locked_numbers = troupe::locked<troupe::array<int>, troupe::mutex>;

void add_under_lock(locked_number number, int times) {
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock guard{number.get_lock()};
    number.get_obj() = number.get_obj() + 1;
    number.with([](auto& each) { each = each + 1; });
  }
}

void swap_ends(locked_numbers numbers, int times) {
  for (int i = 0; i < times; ++i)
    numbers.with([](auto& all) { std::swap(all.front(), all.back()); });
}

void die_inside(locked_number number, troupe::event inside) {
  number.with([&](auto&) {
    inside.set();
    troupe::event{}.wait();
  });
}

} // namespace

TEST_CASE("a value with a lock of its own") {
  for (const auto kind : both_kinds) {
    locked_number number{troupe::value<long>{0}};
    crew crew{kind};
    for (int i = 0; i < 3; ++i)
      crew.add<add_under_lock>(number, 500);
    CHECK(crew.join());
    CHECK(number.get_obj() == 3000L);
  }
}

TEST_CASE("an array with a given lock") {
  const troupe::mutex lock;
  locked_numbers numbers{troupe::array<int>{1, 0, 2}, lock};
  CHECK(numbers.get_lock() == lock);
  auto other = troupe::start<swap_ends>(numbers, 1000);
  swap_ends(numbers, 1001);
  CHECK(other.join().success());
  CHECK(numbers.get_obj()[0] == 2);
}

TEST_CASE("what a dead owner left is told") {
  locked_number number{troupe::value<long>{0}};
  const troupe::event inside;
  auto victim = troupe::start<die_inside>(number, inside);
  inside.wait();
  victim.kill();
  CHECK(number.with(
    [](auto&, const troupe::grant& granted) { return granted.owner_died; }));
}
