// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/start.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/value.hpp>

#include <support/living_bytes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace {

struct point {
  double x = 0;
  double y = 0;
};

struct shape {
  std::string name;
  std::vector<point> corners;
};

struct account {
  std::string owner;
  int balance = 0;
};

template <class Inspector>
bool inspect(Inspector& f, account& x) {
  return f.object(x).fields(f.field("owner", x.owner),
                            f.field("balance", x.balance));
}

struct counter {
  static int add(int a, int b) noexcept {
    return a + b;
  }
};

enum class colour { red, green };

using everything
  = std::tuple<bool, char, std::int8_t, std::uint64_t, double, colour,
               std::string, std::vector<std::string>,
               std::map<int, std::string>, std::set<int>, std::optional<int>,
               std::optional<int>, std::variant<int, std::string>,
               std::pair<int, point>, shape, account, std::chrono::milliseconds,
               std::array<int, 3>>;

everything some_of_everything() {
  return {true,
          'c',
          -5,
          1ULL << 60,
          0.25,
          colour::green,
          "text with a \0 in it",
          {"a", std::string(5000, 'b')},
          {{1, "one"}, {2, "two"}},
          {3, 1, 2},
          std::nullopt,
          7,
          std::string{"variant"},
          {1, {2, 3}},
          {"triangle", {{0, 0}, {1, 0}, {0, 1}}},
          {"Käthe", 100},
          std::chrono::milliseconds{250},
          {1, 2, 3}};
}

bool same(const everything& a, const everything& b) {
  const auto equal_points = [](const point& p, const point& q) {
    return p.x == q.x && p.y == q.y;
  };
  const auto& s = std::get<shape>(a);
  const auto& t = std::get<shape>(b);
  return std::get<0>(a) == std::get<0>(b) && std::get<1>(a) == std::get<1>(b)
         && std::get<2>(a) == std::get<2>(b) && std::get<3>(a) == std::get<3>(b)
         && std::get<4>(a) == std::get<4>(b) && std::get<5>(a) == std::get<5>(b)
         && std::get<6>(a) == std::get<6>(b) && std::get<7>(a) == std::get<7>(b)
         && std::get<8>(a) == std::get<8>(b) && std::get<9>(a) == std::get<9>(b)
         && std::get<10>(a) == std::get<10>(b)
         && std::get<11>(a) == std::get<11>(b)
         && std::get<12>(a) == std::get<12>(b)
         && equal_points(std::get<13>(a).second, std::get<13>(b).second)
         && s.name == t.name && s.corners.size() == t.corners.size()
         && std::get<account>(a).owner == std::get<account>(b).owner
         && std::get<account>(a).balance == std::get<account>(b).balance
         && std::get<16>(a) == std::get<16>(b)
         && std::get<17>(a) == std::get<17>(b);
}

int check_everything(const everything& arrived) {
  return same(arrived, some_of_everything()) ? 0 : 1;
}

void take(std::unique_ptr<int> owned, std::vector<std::unique_ptr<int>> more) {
  std::exit(*owned + *more.at(1));
}

void by_value_and_reference(std::string a, const std::string& b,
                            std::string&& c) {
  std::exit(a + b + c == "abc" ? 0 : 1);
}

void fill(troupe::array<int> numbers, troupe::value<long> sum,
          const std::vector<troupe::value<int>>& parts) {
  long total = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    total += numbers[i] = static_cast<int>(i * i);
  sum.store(total);
  for (std::size_t i = 0; i < parts.size(); ++i)
    parts[i].store(static_cast<int>(i) + 1);
}

} // namespace

TEST_CASE("every kind of argument that can be sent arrives unchanged") {
  for (const auto method :
       {troupe::start_method::fork_server, troupe::start_method::spawn}) {
    troupe::start_options options;
    options.method = method;
    CHECK(troupe::async<check_everything>(options, some_of_everything()).get()
          == 0);
  }
}

TEST_CASE("a result of every kind comes back unchanged") {
  CHECK(same(troupe::async<some_of_everything>().get(), some_of_everything()));
}

TEST_CASE("free functions, static members and lambdas can be started") {
  CHECK(troupe::async<counter::add>(2, 3).get() == 5);
  CHECK(troupe::async([](int a) { return -a; }, 4).get() == -4);
  constexpr auto twice = [](int a) noexcept { return 2 * a; };
  CHECK(troupe::async(twice, 4).get() == 8);
}

TEST_CASE("move-only arguments move") {
  auto owned = std::make_unique<int>(30);
  std::vector<std::unique_ptr<int>> more;
  more.push_back(nullptr);
  more.push_back(std::make_unique<int>(4));
  const auto child = troupe::start<take>(std::move(owned), std::move(more));
  CHECK(owned == nullptr); // NOLINT(bugprone-use-after-move)
  CHECK(child.join().code() == 34);
}

TEST_CASE("arguments convert to the parameters' types") {
  CHECK(troupe::start<by_value_and_reference>("a", "b", "c").join().success());
  CHECK(troupe::async([](double x) { return x; }, 3).get() == 3.0);
}

TEST_CASE("large arguments travel, and their memory is given back") {
  const auto before = troupe::test::living_bytes();
  for (int turn = 0; turn < 3; ++turn) {
    const std::string text(10'000'000, 'x');
    CHECK(troupe::async([](const std::string& s) { return s; }, text).get()
          == text);
  }
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE("handles of shared objects can be arguments, also inside others") {
  const auto before = troupe::test::living_bytes();
  for (const auto method :
       {troupe::start_method::fork_server, troupe::start_method::spawn}) {
    troupe::array<int> numbers(10);
    troupe::value<long> sum;
    std::vector<troupe::value<int>> parts(3);
    troupe::start_options options;
    options.method = method;
    CHECK(troupe::start<fill>(options, numbers, sum, parts).join().success());
    CHECK(numbers[9] == 81);
    CHECK(sum.load() == 285);
    CHECK(parts[2].load() == 3);
  }
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE("arguments that nobody takes are given back") {
  const auto before = troupe::test::living_bytes();
  {
    troupe::value<int> shared;
    auto child
      = troupe::start([](const troupe::value<int>&, const std::string&) {},
                      shared, std::string(100'000, 'x'));
    child.kill();
    child.join();
  }
  CHECK(troupe::test::living_bytes() == before);
}

TEST_CASE("a child passes its arguments on to a process of its own") {
  const auto relay = [](const std::vector<int>& numbers) {
    return troupe::async(
             [](const std::vector<int>& inner) { return inner.size(); },
             numbers)
      .get();
  };
  CHECK(troupe::async(relay, std::vector<int>(1000)).get() == 1000);
}

TEST_CASE("a literal converts to a parameter that has its value, or throws") {
  const auto doubled = [](std::uint8_t small, float number) {
    return static_cast<float>(small) * number;
  };
  CHECK(troupe::async(doubled, 255, 2).get() == 510.0F);
  CHECK_THROWS_AS(static_cast<void>(troupe::async(doubled, 256, 2)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(troupe::async(doubled, -1, 2)),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(troupe::start(doubled, 1, (1 << 24) + 1)),
                  troupe::invalid_argument);
}
