// SPDX-License-Identifier: BSL-1.0

// A queue as a range: nothing is taken that is not shown.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

troupe::queue<int> one_to_five() {
  troupe::queue<int> numbers;
  for (int i = 1; i <= 5; ++i)
    numbers.put(i);
  return numbers;
}

template <class Range>
std::vector<int> shown(Range&& range) {
  std::vector<int> result;
  for (const int each : range)
    result.push_back(each);
  return result;
}

static_assert(std::ranges::input_range<troupe::queue<int>>);
static_assert(std::ranges::input_range<const troupe::queue<int>>);
// Its size is no promise of so many items.
static_assert(!std::ranges::sized_range<const troupe::queue<int>>);
static_assert(!std::copyable<troupe::queue<int>::iterator>);

struct constant {
  const int number;
};

} // namespace

TEST_CASE("a view of a queue takes no more than it shows") {
  const auto numbers = one_to_five();
  SUBCASE("of the first three") {
    CHECK(shown(numbers | std::views::take(3)) == std::vector{1, 2, 3});
    CHECK(numbers.get() == 4);
  }
  SUBCASE("of as many as there are: it does not wait for more") {
    CHECK(shown(numbers | std::views::take(5)) == std::vector{1, 2, 3, 4, 5});
    CHECK(numbers.empty());
  }
  SUBCASE("of none") {
    CHECK(shown(numbers | std::views::take(0)).empty());
    CHECK(numbers.get() == 1);
  }
  SUBCASE("while they are small: the one that is not was shown to that") {
    CHECK(shown(numbers | std::views::take_while([](int i) { return i < 3; }))
          == std::vector{1, 2});
    CHECK(numbers.get() == 4);
  }
  SUBCASE("behind the first two") {
    CHECK(shown(numbers | std::views::drop(2) | std::views::take(2))
          == std::vector{3, 4});
    CHECK(numbers.get() == 5);
  }
  SUBCASE("of some, changed") {
    CHECK(shown(numbers | std::views::transform([](int i) { return 10 * i; })
                | std::views::take(2))
          == std::vector{10, 20});
    CHECK(numbers.get() == 3);
  }
  SUBCASE("of the even ones, which are looked for among all") {
    CHECK(shown(numbers | std::views::take(4)
                | std::views::filter([](int i) { return i % 2 == 0; }))
          == std::vector{2, 4});
    CHECK(numbers.get() == 5);
  }
  SUBCASE("counted, or copied") {
    CHECK(shown(std::views::counted(numbers.begin(), 2)) == std::vector{1, 2});
    std::vector<int> copied;
    std::ranges::copy_n(numbers.begin(), 2, std::back_inserter(copied));
    CHECK(copied == std::vector{3, 4});
    CHECK(numbers.get() == 5);
  }
}

TEST_CASE("a view of a queue goes on with items that are put meanwhile") {
  const troupe::queue<int> numbers;
  numbers.put(1);
  std::vector<int> seen;
  for (const int each : numbers | std::views::take(3)) {
    seen.push_back(each);
    numbers.put(each + 1);
  }
  CHECK(seen == std::vector{1, 2, 3});
  CHECK(numbers.get() == 4);
}

TEST_CASE("a loop over a queue that is left takes no more than it has shown") {
  const auto numbers = one_to_five();
  for (const int each : numbers)
    if (each == 2)
      break;
  CHECK(numbers.get() == 3);
  const auto stop_at_four = [&] {
    for (const int each : numbers)
      if (each == 4)
        throw std::runtime_error{"four"};
  };
  CHECK_THROWS_AS(stop_at_four(), std::runtime_error);
  CHECK(numbers.get() == 5);
}

TEST_CASE(
  "an iterator of a queue takes an item once, and when it is looked at") {
  const auto numbers = one_to_five();
  auto at = numbers.begin();
  CHECK(numbers.size() == 5);
  CHECK(*at == 1);
  CHECK(*at == 1);
  CHECK(at != numbers.end());
  ++at;
  CHECK(numbers.size() == 4);
  // Nobody has looked at the 2, which is passed.
  ++at;
  CHECK(numbers.size() == 3);
  auto moved = std::move(at);
  *moved = 30;
  CHECK(*moved == 30);
  moved = numbers.begin();
  CHECK(*moved == 4);
  numbers.close();
  ++moved;
  ++moved;
  CHECK(moved == numbers.end());
  ++moved;
  CHECK(moved == numbers.end());
}

TEST_CASE("items that cannot be assigned to are shown as well") {
  troupe::queue<constant> numbers;
  numbers.put({1});
  numbers.put({2});
  numbers.close();
  int sum = 0;
  for (const auto& each : numbers)
    sum += each.number;
  CHECK(sum == 3);
}
