// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/process/program.hpp>

#include <doctest/doctest.h>

#include <support/sanitized.hpp>
#include <support/system_calls.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using troupe::value;

namespace {

enum class colour : std::uint8_t { red, green };

struct point {
  double x;
  double y;
  double z;
};

template <class T>
void write(value<T> shared, T wanted) {
  shared = wanted;
}

template <class T>
void check_written_by_a_child(T first, T second) {
  value<T> shared{first};
  CHECK(shared.get() == first);
  CHECK(troupe::start<write<T>>(shared, second).join().success());
  CHECK(shared.get() == second);
}

void count_up(value<int> shared, int times) {
  for (int count = 0; count < times; ++count)
    ++shared;
}

void double_all(value<int> x, value<double> y, value<point> foo,
                value<bool> flag) {
  x = x * 2;
  y = y * 2;
  foo.raw().x *= 2;
  foo.raw().y *= 2;
  flag = !flag;
}

void use_often(value<int> shared) {
  for (int count = 0; count < 1000; ++count) {
    ++shared;
    shared = shared.get() + 1;
  }
}

} // namespace

TEST_CASE("a value is zero unless it is given one") {
  CHECK(value<int>{} == 0);
  CHECK(value<double>{} == 0.0);
  CHECK(value<point>{}.get().z == 0.0);
  CHECK(value<int>{42} == 42);
}

TEST_CASE("what a child writes the parent reads, for every type of Python's") {
  check_written_by_a_child<int>(4343, 24234);
  check_written_by_a_child<double>(3.625, -4.25);
  check_written_by_a_child<float>(1.5F, 2.5F);
  check_written_by_a_child<std::int16_t>(-232, 234);
  check_written_by_a_child<std::uint64_t>(2, ~std::uint64_t{0});
  check_written_by_a_child<char>('x', 'y');
  check_written_by_a_child<wchar_t>(L'x', L'y');
  check_written_by_a_child<bool>(false, true);
  check_written_by_a_child<colour>(colour::red, colour::green);
}

TEST_CASE("copies of a handle mean one value, a copy of the value is its own") {
  value<int> first{1};
  value<int> second = first;
  second = 2;
  CHECK(first == 2);
  const int copy = first;
  first = 3;
  CHECK(copy == 2);
  second = value<int>{9};
  CHECK(first == 3);
  CHECK(second == 9);
}

TEST_CASE("numbers, a structure and a flag are doubled in a child") {
  value<int> x{7};
  value<double> y{1.0 / 3.0};
  value<point> foo{{3, 2, 1}};
  value<bool> flag;
  const point before = foo;
  CHECK(troupe::start<double_all>(x, y, foo, flag).join().success());
  CHECK(x == 14);
  CHECK(y == doctest::Approx(2.0 / 3.0));
  CHECK(foo.get().x == 6);
  CHECK(foo.get().y == 4);
  CHECK(foo.get().z == 1);
  CHECK(flag);
  // The copy is independent.
  CHECK(before.x == 3);
}

TEST_CASE("what can be accessed in one piece is, and what cannot says so") {
  static_assert(value<int>::is_atomic);
  static_assert(value<double>::is_atomic);
  static_assert(value<colour>::is_atomic);
  static_assert(!value<point>::is_atomic);
  value<int> number{5};
  CHECK(number.fetch_add(3) == 5);
  CHECK(number.fetch_sub(1) == 8);
  CHECK(number.exchange(20) == 7);
  int expected = 19;
  CHECK_FALSE(number.compare_exchange(expected, 1));
  CHECK(expected == 20);
  CHECK(number.compare_exchange(expected, 1));
  CHECK(number++ == 1);
  CHECK(++number == 3);
  CHECK(number-- == 3);
  CHECK(--number == 1);
  CHECK((number += 4) == 5);
  CHECK((number -= 2) == 3);
  number.store(8, std::memory_order_release);
  CHECK(number.load(std::memory_order_acquire) == 8);
  value<double> real{1.5};
  CHECK((real += 1) == 2.5);
  value<std::uint8_t> small{255};
  CHECK(++small == 0);
}

TEST_CASE("counting in steps of one piece loses nothing") {
  constexpr int times = 20'000;
  value<int> shared;
  {
    std::vector<troupe::process> processes;
    for (int number = 0; number < 3; ++number)
      processes.push_back(troupe::start<count_up>(shared, times));
    std::vector<std::thread> threads;
    for (int number = 0; number < 2; ++number)
      threads.emplace_back([&] { count_up(shared, times); });
    for (auto& thread : threads)
      thread.join();
    for (auto& process : processes)
      CHECK(process.join().success());
  }
  CHECK(shared == 5 * times);
}

TEST_CASE("a handle goes wherever a sendable thing goes") {
  value<int> first{1};
  value<int> second{2};
  const std::map<std::string, std::vector<value<int>>> all{
    {"both", {first, second}}, {"none", {}}};
  auto answer = troupe::async(
    [](std::map<std::string, std::vector<value<int>>> of) {
      of["both"][0] = 10;
      of["both"][1] += 10;
      return std::pair{of["both"][1], of["none"].size()};
    },
    all);
  const auto [returned, none] = answer.get();
  CHECK(first == 10);
  CHECK(second == 12);
  CHECK(none == 0);
  returned.set(33);
  CHECK(second == 33);
}

TEST_CASE("a value made in a child outlives the child") {
  auto made = troupe::async([] { return value<int>{77}; }).get();
  CHECK(made == 77);
}

TEST_CASE("a handle of one type is refused where another is expected") {
  troupe::codec::packet packet;
  troupe::codec::encoder to{packet};
  to.save(value<int>{5});
  to.save(value<int>{5});
  troupe::codec::decoder from{packet.body(), packet.handles()};
  try {
    static_cast<void>(value<double>::load(from));
    FAIL("an int was taken for a double");
  } catch (const troupe::malformed_bytes& failure) {
    const std::string what = failure.what();
    CHECK(what.find("int (4 bytes)") != what.npos);
    CHECK(what.find("double (8 bytes)") != what.npos);
  }
  // Same size, but not the same.
  CHECK_THROWS_AS(static_cast<void>(value<float>::load(from)),
                  troupe::malformed_bytes);
}

TEST_CASE("a value's access costs no system call") {
  if (troupe::test::sanitized)
    return;
  const value<int> shared{0};
  const auto calls = troupe::test::system_calls_of<use_often>(shared);
  CHECK(calls.value_or(0) == 0);
  if (calls)
    CHECK(shared == 4000);
}
