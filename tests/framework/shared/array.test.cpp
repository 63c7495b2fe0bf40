// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/array.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>
#include <support/living_bytes.hpp>
#include <support/sleeping.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <numeric>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

using troupe::array;
using troupe::memory::run_memory;

namespace {

struct point {
  int x;
  int y;
};

/// Python's `f` of _TestArray: running sums, in place.
void running_sums(array<int> sequence) {
  for (std::size_t at = 1; at < sequence.size(); ++at)
    sequence[at] += sequence[at - 1];
}

std::uint64_t used() {
  return run_memory::current().used_bytes();
}

} // namespace

TEST_CASE("what a child does to an array its parent sees") {
  const std::vector<int> before{680, 626, 934, 821, 150,
                                233, 548, 982, 714, 831};
  array<int> shared(before);
  CHECK(shared.size() == before.size());
  CHECK(shared[3] == 821);
  CHECK(
    std::ranges::equal(shared.slice(2, 7), std::span{before}.subspan(2, 5)));
  std::ranges::copy(std::vector{1, 2, 3, 4}, shared.slice(4, 8).begin());
  CHECK(std::vector(shared.begin(), shared.end())
        == std::vector{680, 626, 934, 821, 1, 2, 3, 4, 714, 831});
  CHECK(troupe::start<running_sums>(shared).join().success());
  std::vector<int> expected{680, 626, 934, 821, 1, 2, 3, 4, 714, 831};
  std::partial_sum(expected.begin(), expected.end(), expected.begin());
  CHECK(std::ranges::equal(shared, expected));
}

TEST_CASE("an array made by its size is zero, also where one was before") {
  for (int round = 0; round < 10; ++round) {
    const array<std::uint64_t> shared(10'000);
    CHECK(shared.size() == 10'000);
    CHECK(std::ranges::all_of(shared, [](auto each) { return each == 0; }));
    shared.fill(~std::uint64_t{0});
    CHECK(shared.back() == ~std::uint64_t{0});
  }
}

TEST_CASE("an array is made from a list, a range, or a size") {
  CHECK(array<int>{4}.size() == 1);
  CHECK(array<int>(4).size() == 4);
  CHECK(array(std::vector{1.5, 2.5})[1] == 2.5);
  CHECK(array<long>(std::list{1, 2, 3}).size() == 3);
  CHECK(array<int>(std::views::iota(0, 5))[4] == 4);
  CHECK(array<point>({{1, 2}, {3, 4}})[1].y == 4);
  const array<int> empty(0);
  CHECK(empty.empty());
  CHECK(empty.begin() == empty.end());
  CHECK(array<int>(std::vector<int>{}).empty());
}

TEST_CASE("a handle that is moved from means nothing") {
  array<int> first{1, 2};
  const array<int> second = std::move(first);
  CHECK(first.empty());
  CHECK(second.size() == 2);
  first = second;
  CHECK(first[1] == 2);
}

TEST_CASE("an array is a contiguous range") {
  static_assert(std::ranges::contiguous_range<array<int>>);
  static_assert(std::ranges::sized_range<const array<int>>);
  const array<int> shared{3, 1, 2};
  std::ranges::sort(shared);
  const std::span<int> seen = shared;
  CHECK(std::vector(seen.begin(), seen.end()) == std::vector{1, 2, 3});
  CHECK(shared.front() == 1);
  CHECK(shared.span().size() == 3);
  shared.slice(1)[0] = 7;
  CHECK(shared[1] == 7);
}

TEST_CASE("an index that is out of range is named, and so is the size") {
  const array<int> shared(4);
  CHECK(shared.at(3) == 0);
  CHECK_THROWS_WITH_AS(static_cast<void>(shared.at(4)),
                       doctest::Contains("element 4"),
                       troupe::invalid_argument);
  CHECK_THROWS_WITH_AS(static_cast<void>(shared.at(4)),
                       doctest::Contains("4 elements"),
                       troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(shared.slice(1, 5)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(shared.slice(3, 2)),
                  troupe::invalid_argument);
  CHECK(shared.slice(4).empty());
}

TEST_CASE("elements that processes share are counted as atomics") {
  const array<int> shared(2);
  const auto count = [](array<int> of) {
    for (int round = 0; round < 10'000; ++round)
      of.atomic(1).fetch_add(1);
  };
  {
    troupe::process first = troupe::start(count, shared);
    troupe::process second = troupe::start(count, shared);
  }
  CHECK(shared[1] == 20'000);
  CHECK(shared[0] == 0);
}

TEST_CASE("a gibibyte costs no copy and no memory until it is touched") {
  const auto before = used();
  const array<double> large(std::size_t{1} << 27);
  CHECK(used() <= before + 65'536);
  auto last = troupe::async(
    [](array<double> of) {
      of.back() = 2.5;
      return of.size();
    },
    large);
  CHECK(last.get() == std::size_t{1} << 27);
  CHECK(large.back() == 2.5);
  CHECK(used() <= before + 1'000'000);
}

TEST_CASE("an array that is populated keeps what is in it") {
  const array<std::uint64_t> shared(1'000'000);
  shared[0] = 1;
  shared[999'999] = 2;
  shared.populate();
  CHECK(shared[0] == 1);
  CHECK(shared[999'999] == 2);
  CHECK(std::ranges::count(shared, 0U) == 999'998);
  array<int>(0).populate();
  array<int>(1).populate();
}

TEST_CASE("a large array is filled, whatever was in it, and nothing else is") {
  constexpr std::size_t size = 3'000'000;
  const array<std::uint64_t> before(size);
  const array<std::uint64_t> shared(size);
  const array<std::uint64_t> after(size);
  before.fill(1);
  after.fill(1);
  shared[0] = 2;
  shared[size / 2] = 3;
  shared[size - 1] = 4;
  for (const std::uint64_t wanted : {5U, 6U}) {
    shared.fill(wanted);
    CHECK(std::ranges::count(shared, wanted) == size);
  }
  CHECK(std::ranges::count(before, 1U) == size);
  CHECK(std::ranges::count(after, 1U) == size);
  CHECK(std::ranges::equal(array(std::vector<std::uint64_t>(size, 5)),
                           std::vector<std::uint64_t>(size, 5)));
}

TEST_CASE("more elements than there is memory for is an error") {
  CHECK_THROWS_AS(array<double>(~std::size_t{0}), troupe::limit_reached);
  CHECK_THROWS_AS(array<double>(~std::size_t{0} / 8), troupe::limit_reached);
  CHECK_THROWS_AS(array<double>(std::size_t{1} << 50), troupe::limit_reached);
}

TEST_CASE("the memory of an array is given back by its last holder") {
  const auto reserved = troupe::test::living_bytes();
  {
    const array<char> shared(1 << 20);
    shared.fill('x');
    CHECK(troupe::test::living_bytes() > reserved + (1 << 20));
    // A process that is killed holds nothing.
    const troupe::process killed = troupe::start(
      [](array<char> of) {
        of[0] = 'y';
        troupe::test::sleep_for_ever();
      },
      shared);
    REQUIRE(
      troupe::test::eventually([&] { return shared.atomic(0).load() == 'y'; }));
    killed.kill();
    killed.join();
    CHECK(shared[1] == 'x');
  }
  CHECK(troupe::test::living_bytes() == reserved);
}

TEST_CASE("arrays of arrays of handles keep what they carry alive") {
  std::vector<array<int>> many;
  for (int number = 0; number < 100; ++number)
    many.push_back(array<int>{number, number});
  auto answer = troupe::async(
    [](std::vector<array<int>> of) {
      std::ranges::reverse(of);
      of.erase(of.begin() + 10, of.end());
      return of;
    },
    many);
  many.clear();
  const auto back = answer.get();
  REQUIRE(back.size() == 10);
  CHECK(back[0][1] == 99);
  CHECK(back[9][0] == 90);
}

TEST_CASE("an array of one type, or a value, is refused as another array") {
  troupe::codec::packet packet;
  troupe::codec::encoder to{packet};
  to.save(array<int>(4));
  troupe::codec::decoder from{packet.body(), packet.handles()};
  CHECK_THROWS_WITH_AS(static_cast<void>(array<double>::load(from)),
                       doctest::Contains("not double (8 bytes)"),
                       troupe::malformed_bytes);
}
