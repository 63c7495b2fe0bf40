// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/array.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/fields.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/mutex.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/set.hpp>
#include <troupe/state/value.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/start.hpp>

#include <boost/container/flat_map.hpp>
#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

template <class K, class V>
struct troupe::codec::coding<boost::container::flat_map<K, V>>
  : troupe::codec::associative_coding<boost::container::flat_map<K, V>,
                                      std::less<K>> {};

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

/// What a dict does, whichever map holds its entries.
template <class Map>
void check_habits_of_a_map() {
  const state here;
  const auto dict = here.make<held::dict<std::string, int, Map>>();
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
  CHECK(dict.add_or_insert("c", 3) == 3);
  CHECK(dict.add_or_insert("c", 3) == 6);
  dict.add_or_insert_many(
    std::vector<std::pair<std::string, int>>{{"c", 1}, {"d", 1}, {"d", 1}});
  CHECK(dict.pop("c") == 7);
  CHECK(dict.pop("d") == 2);
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
  SUBCASE("of a std::unordered_map") {
    check_habits_of_a_map<std::unordered_map<std::string, int>>();
  }
  SUBCASE("of a std::map") {
    check_habits_of_a_map<std::map<std::string, int>>();
  }
  SUBCASE("of another library's map") {
    check_habits_of_a_map<boost::container::flat_map<std::string, int>>();
  }
}

TEST_CASE("a dict in a std::map has its keys in order") {
  const state here;
  const auto dict
    = here.make<held::dict<std::string, int, std::map<std::string, int>>>();
  for (const auto* each : {"c", "a", "d", "b"})
    dict[each] = 1;
  CHECK(dict.keys() == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(dict.pop_any() == std::pair<std::string, int>{"a", 1});
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

TEST_CASE("steps of several processes on one entry lose nothing") {
  const state here;
  const auto dict = here.make<scores>();
  dict["x"] = 0;
  std::vector<troupe::process> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(troupe::start(
      [](scores of) {
        for (int turn = 0; turn < 250; ++turn) {
          of["x"] += 1;
          of.update(
            [](std::unordered_map<std::string, int>& in) { in["x"] += 1; });
        }
      },
      dict));
  all.clear();
  CHECK(dict.at("x") == 2000);
}

TEST_CASE("a set has the habits of a set") {
  const state here;
  const auto set = here.make<held::set<int>>(std::unordered_set<int>{1, 2, 3});
  CHECK(set.insert(4));
  CHECK(!set.insert(4));
  CHECK(set.contains(4));
  CHECK(set.erase(1));
  CHECK(!set.erase(1));
  set.unite({5, 6});
  set.subtract({2, 3});
  set.intersect({4, 5, 77});
  set.toggle({5, 9});
  CHECK(set.snapshot() == std::unordered_set<int>{4, 9});
  CHECK(set.includes({9}));
  CHECK(set.is_included_in({4, 9, 10}));
  CHECK(set.is_disjoint_from({1}));
  int sum = 0;
  for (const int each : set)
    sum += each;
  CHECK(sum == 13);
  CHECK(set.pop_any().has_value());
  set.clear();
  CHECK(set.empty());
  CHECK(set.pop_any() == std::nullopt);
}

TEST_CASE("a namespace has fields of different types") {
  const state here;
  const auto shared = here.make<held::fields>();
  shared.set("name", "Sam");
  shared.set("score", 10);
  shared.set("all", std::vector{1, 2});
  CHECK(shared.get<std::string>("name") == "Sam");
  CHECK(shared.get<int>("score") == 10);
  CHECK(shared.get<std::vector<int>>("all") == std::vector{1, 2});
  CHECK_THROWS_AS(static_cast<void>(shared.get<double>("score")),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(shared.get<int>("x")),
                  troupe::unknown_name);
  CHECK(shared.contains("name"));
  CHECK(shared.names().size() == 3);
  CHECK(shared.erase("name"));
  CHECK(!shared.contains("name"));
}

TEST_CASE("a value and an array are read and written in the state") {
  const state here;
  auto value = here.make<held::value<int>>(3);
  CHECK(value == 3);
  value = 5;
  CHECK((value += 2) == 7);
  CHECK((value -= 1) == 6);
  CHECK(value.exchange(1) == 6);
  const auto array = here.make<held::array<double>>(std::vector<double>(4));
  array[1] = 2.5;
  array[1] += 1;
  CHECK(array.at(1) == 3.5);
  array.assign_slice(2, {7, 8});
  CHECK(array.slice(0, 4) == std::vector<double>{0, 3.5, 7, 8});
  CHECK(remote_type([&] { array.assign_slice(3, {1, 2}); })
        == "std::out_of_range");
  array.fill(1);
  CHECK(array.size() == 4);
}

TEST_CASE("a queue in the state waits, and is closed, as a queue") {
  const state here;
  const auto queue = here.make<held::queue<int>>(2);
  CHECK(queue.try_get() == std::nullopt);
  CHECK(queue.try_get_for(std::chrono::milliseconds{2}) == std::nullopt);
  const auto soon = std::chrono::steady_clock::now()
                    + std::chrono::duration<double>{0.002};
  CHECK(queue.try_get_until(soon) == std::nullopt);
  queue.put(1);
  queue.put(2);
  CHECK(queue.full());
  CHECK(queue.try_put(3) == troupe::put_result::full);
  CHECK(queue.try_put_until(3, soon) == troupe::put_result::full);
  CHECK(queue.get() == 1);
  CHECK(queue.get_many(10) == std::vector{2});
  queue.task_done();
  CHECK(!queue.join_for(std::chrono::milliseconds{2}));
  CHECK(!queue.join_until(soon));
  queue.task_done();
  queue.join();
  CHECK_THROWS_AS(queue.task_done(), troupe::invalid_state);
  auto reader = troupe::start(
    [](held::queue<int> from, held::value<int> into) {
      into = from.get();
      into += from.get();
    },
    queue, here.make<held::value<int>>(0));
  queue.put_many({3, 4});
  reader.join();
  queue.close();
  CHECK_THROWS_AS(queue.put(1), troupe::closed);
  CHECK_THROWS_AS(static_cast<void>(queue.get()), troupe::closed);
}

TEST_CASE("every kind of held object is used by a child") {
  const state here;
  const auto list = here.make<numbers>({1});
  const auto dict = here.make<scores>();
  const auto set = here.make<held::set<int>>(std::unordered_set<int>{1, 2});
  const auto shared = here.make<held::fields>();
  shared.set("score", 10);
  auto value = here.make<held::value<int>>(1);
  const auto array = here.make<held::array<double>>(std::vector<double>(2));
  const auto lock = here.make<held::recursive_mutex>();
  auto child = troupe::start(
    [](numbers in, scores of, held::set<int> some, held::fields fields,
       held::value<int> one, held::array<double> row,
       held::recursive_mutex with) {
      with.lock();
      with.lock();
      in.push_back(2);
      of["Sam"] = 3;
      some.erase(1);
      some.insert(4);
      fields.set("score", fields.get<int>("score") + 1);
      fields.set("name", "Ann");
      one += 5;
      row[1] = 2.5;
      with.unlock();
      // Its end frees what is left of it.
    },
    list, dict, set, shared, value, array, lock);
  child.join();
  CHECK(lock.try_lock_for(std::chrono::seconds{20}));
  lock.unlock();
  CHECK(list.snapshot() == std::vector{1, 2});
  CHECK(dict.at("Sam") == 3);
  CHECK(set.snapshot() == std::unordered_set<int>{2, 4});
  CHECK(shared.get<int>("score") == 11);
  CHECK(shared.get<std::string>("name") == "Ann");
  CHECK(value == 6);
  CHECK(array.slice(0, 2) == std::vector<double>{0, 2.5});
}

TEST_CASE("a dict counts, and no count of several processes is lost") {
  const state here;
  const auto counts = here.make<scores>();
  constexpr int children = 3;
  constexpr int steps = 200;
  std::vector<troupe::process> counters;
  for (int i = 0; i < children; ++i)
    counters.push_back(troupe::start(
      [](scores all, int times) {
        for (int j = 0; j < times; ++j) {
          all.add_or_insert("word " + std::to_string(j % 10), 1);
          all.add_or_insert_many(std::map<std::string, int>{{"many", 2}});
        }
      },
      counts, steps));
  for (auto& each : counters)
    CHECK(each.join().code() == 0);
  CHECK(counts.size() == 11);
  CHECK(counts["word 3"] == children * steps / 10);
  CHECK(counts["many"] == children * steps * 2);
  const auto texts = here.make<held::dict<int, std::string>>();
  CHECK(texts.add_or_insert(1, "a") == "a");
  CHECK(texts.add_or_insert(1, "b") == "ab");
}
