// SPDX-License-Identifier: BSL-1.0

// Which functions a pool runs: members, those that return what they were given,
// and those of types with constants.

#include <troupe/pool/pool.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

struct item {
  int price = 0;
  std::string name;

  [[nodiscard]] int twice() const {
    return 2 * price;
  }
  int raise(int by) {
    return price += by;
  }
  [[nodiscard]] const std::string& called() const& {
    return name;
  }
};

const double& itself(const double& number) {
  return number;
}

struct row {
  const int id;
  const std::string name;
  bool operator==(const row&) const = default;
};

row row_of(const std::map<std::string, int>::value_type& entry) {
  return {entry.second, entry.first};
}

std::pair<const std::string, int> entry_of(row from) {
  return {from.name, from.id};
}

} // namespace

TEST_CASE("a pool calls member functions on copies of objects") {
  troupe::pool pool{2};
  const std::vector<item> items{{1, "a"}, {2, "b"}, {3, "c"}};
  CHECK(pool.map<&item::twice>(items) == std::vector{2, 4, 6});
  CHECK(pool.map<&item::called>(items)
        == std::vector<std::string>{"a", "b", "c"});
  CHECK(pool.map<&item::price>(items) == std::vector{1, 2, 3});
  CHECK(pool.apply<&item::raise>(items[0], 10) == 11);
  CHECK(pool.apply_async<&item::twice>(items[1]).get() == 4);
  CHECK(items[0].price == 1);
  const std::vector<std::pair<item, int>> raises{{items[0], 1}, {items[1], 2}};
  CHECK(pool.starmap<&item::raise>(raises) == std::vector{2, 4});
  std::vector<int> seen;
  for (const int each : pool.imap<&item::twice>(items))
    seen.push_back(each);
  CHECK(seen == std::vector{2, 4, 6});
}

TEST_CASE("a function may return a reference to its argument") {
  troupe::pool pool{1};
  std::vector<double> numbers;
  for (int i = 0; i < 1000; ++i)
    numbers.push_back(i + 0.5);
  CHECK(pool.map<itself>(numbers, 100) == numbers);
  CHECK(pool.apply<itself>(1.5) == 1.5);
}

TEST_CASE("a map's entries and constant members are arguments and results") {
  troupe::pool pool{2};
  const std::map<std::string, int> entries{{"a", 1}, {"b", 2}};
  const auto rows = pool.map<row_of>(entries);
  CHECK(rows == std::vector<row>{{1, "a"}, {2, "b"}});
  const auto back = pool.map<entry_of>(rows);
  CHECK(std::map<std::string, int>(back.begin(), back.end()) == entries);
  CHECK(pool.apply<row_of>(*entries.begin()) == row{1, "a"});
  std::vector<row> seen;
  for (const auto& each : pool.imap<row_of>(entries))
    seen.push_back(each);
  CHECK(seen == rows);
}
