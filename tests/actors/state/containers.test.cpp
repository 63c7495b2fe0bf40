// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <string>
#include <vector>

namespace held = troupe::held;
using troupe::state;
using troupe::test::eventually;

namespace {

using numbers = held::list<int>;
using scores = held::dict<std::string, int>;
using lines = held::dict<std::string, numbers>;

/// The type of the exception that a call in the state threw.
template <class F>
std::string remote_type(F call) {
  try {
    call();
  } catch (const troupe::remote_error& thrown) {
    return thrown.type();
  }
  return "none";
}

} // namespace

// As CPython's _TestContainers does.

TEST_CASE("a list has the habits of a vector") {
  const state here;
  const auto list = here.make<numbers>(std::vector{0, 1, 2});
  CHECK(list.size() == 3);
  list.push_back(3);
  list.append_range(std::vector{4, 5});
  CHECK(list.snapshot() == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(list[2] == 2);
  list[2] = 7;
  list[2] += 3;
  const int third = list[2];
  CHECK(third == 10);
  CHECK(list.slice(1, 3) == std::vector{1, 10});
  CHECK(list.slice(4, 100) == std::vector{4, 5});
  CHECK(list.slice(0, 6, 2) == std::vector{0, 10, 4});
  CHECK(list.slice(5, 2).empty());
  CHECK(list.pop_back() == 5);
  CHECK(list.pop(0) == 0);
  list.insert(0, 9);
  list.insert_range(1, std::vector{9, 9});
  CHECK(list.count(9) == 3);
  CHECK(list.index_of(10) == 4);
  CHECK(list.remove(9));
  CHECK(!list.remove(77));
  list.erase(0, 2);
  CHECK(list.snapshot() == std::vector{1, 10, 3, 4});
  list.assign_slice(1, 3, std::vector{5, 6, 7});
  CHECK(list.snapshot() == std::vector{1, 5, 6, 7, 4});
  list.sort();
  list.reverse();
  CHECK(list.snapshot() == std::vector{7, 6, 5, 4, 1});
  CHECK(list.front() == 7);
  CHECK(list.back() == 1);
  CHECK(list.contains(6));
  list.clear();
  CHECK(list.empty());
}

TEST_CASE("an index that is not there is the vector's own exception") {
  const state here;
  const auto list = here.make<numbers>();
  CHECK(remote_type([&] { static_cast<void>(list.at(0)); })
        == "std::out_of_range");
  CHECK(remote_type([&] { list.pop_back(); }) == "std::out_of_range");
  CHECK(remote_type([&] { list.insert(1, 1); }) == "std::out_of_range");
  CHECK(remote_type([&] { list.erase(0); }) == "std::out_of_range");
}

TEST_CASE("a loop over a list sees it as it was at the beginning") {
  const state here;
  const auto list = here.make<numbers>(std::vector{1, 2, 3});
  std::vector<int> seen;
  for (const int each : list) {
    list.push_back(each);
    seen.push_back(each);
  }
  CHECK(seen == std::vector{1, 2, 3});
  CHECK(list.size() == 6);
}

TEST_CASE("a dict has the habits of a map") {
  const state here;
  const auto dict = here.make<scores>();
  dict["Sam"] = 10;
  CHECK(dict["Sam"] == 10);
  dict["Sam"] += 5;
  dict["Sam"] -= 1;
  CHECK(dict.at("Sam") == 14);
  CHECK(dict.get("Ann") == std::nullopt);
  CHECK(dict.get("Ann", 3) == 3);
  CHECK(dict.insert("Ann", 1));
  CHECK(!dict.insert("Ann", 2));
  CHECK(dict.get_or_insert("Ann", 5) == 1);
  CHECK(dict.get_or_insert("Tom", 5) == 5);
  CHECK(dict.contains("Tom"));
  CHECK(dict.erase("Tom"));
  CHECK(!dict.erase("Tom"));
  CHECK(dict.pop("Ann") == 1);
  CHECK(dict.pop("Ann") == std::nullopt);
  dict.set_many(std::vector<std::pair<std::string, int>>{{"a", 1}, {"b", 2}});
  CHECK(dict.get_many({"b", "x", "a"})
        == std::vector<std::optional<int>>{2, std::nullopt, 1});
  CHECK(dict.size() == 3);
  CHECK(dict.keys().size() == 3);
  int sum = 0;
  for (const auto& [key, value] : dict)
    sum += value;
  CHECK(sum == 17);
  CHECK(dict.erase_many({"a", "b", "c"}) == 2);
  CHECK(dict.pop_any() == std::pair<std::string, int>{"Sam", 14});
  CHECK(dict.pop_any() == std::nullopt);
  CHECK(remote_type([&] { static_cast<void>(dict.at("x")); })
        == "std::out_of_range");
  CHECK(remote_type([&] { dict["x"] += 1; }) == "std::out_of_range");
}

TEST_CASE("a loop over a dict sees it as it was at the beginning") {
  const state here;
  const auto dict = here.make<scores>();
  dict.set_many(std::vector<std::pair<std::string, int>>{{"a", 1}, {"b", 2}});
  int sum = 0;
  for (const auto& [key, value] : dict) {
    dict.clear();
    sum += value;
  }
  CHECK(sum == 3);
}

TEST_CASE("a function runs on the container where it is") {
  const state here;
  const auto dict = here.make<scores>();
  dict.update([](std::unordered_map<std::string, int>& all) { all["x"] = 1; });
  const auto most = dict.update(
    [](const std::unordered_map<std::string, int>& all, int least) {
      return static_cast<int>(all.size()) + least;
    },
    4);
  CHECK(most == 5);
}
