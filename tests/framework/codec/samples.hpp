// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/codec.hpp>

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <future>
#include <ios>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>

/// Types as users write them, and at least one value of every kind of type
/// that can be sent.
namespace samples {

enum class weekday : std::uint8_t { monday = 1, sunday = 7 };
enum old_style : int { small, large = 1000 };
enum class yes_or_no : bool { no, yes };

struct empty {
  bool operator==(const empty&) const = default;
};

struct point {
  std::int32_t x;
  double y;
  bool operator==(const point&) const = default;
};

struct mixed {
  char name[12];
  bool set[3];
  weekday day;
  point corners[2][2];
  std::array<std::uint16_t, 3> codes;
  bool operator==(const mixed&) const = default;
};

struct bits {
  unsigned low : 3;
  bool flag : 1;
  int rest;
  bool operator==(const bits&) const = default;
};

struct person {
  std::string name;
  std::optional<int> age;
  std::vector<std::string> mails;
  bool operator==(const person&) const = default;
};

struct tree {
  int value;
  std::vector<tree> children;
  bool operator==(const tree&) const = default;
};

struct sixteen {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o;
  std::string p;
  bool operator==(const sixteen&) const = default;
};

/// Speaks CAF's protocol.
struct account {
  std::string owner;
  std::int64_t cents = 0;
  std::vector<point> moves;
  bool operator==(const account&) const = default;
};

template <class Inspector>
bool inspect(Inspector& f, point& x) {
  return f.object(x).fields(f.field("x", x.x), f.field("y", x.y));
}

template <class Inspector>
bool inspect(Inspector& f, account& x) {
  return f.object(x).pretty_name("account").fields(
    f.field("owner", x.owner).fallback(std::string{"nobody"}),
    f.field("cents", x.cents).invariant([](std::int64_t cents) {
      return cents >= 0;
    }),
    f.field("moves", x.moves));
}

/// Chain of itself, and not an aggregate.
class chain {
public:
  chain() = default;

  explicit chain(int length) {
    if (length > 1)
      next_ = std::make_unique<chain>(length - 1);
  }

  bool operator==(const chain& other) const {
    return next_ && other.next_ ? *next_ == *other.next_
                                : !next_ && !other.next_;
  }

  template <class Inspector>
  friend bool inspect(Inspector& f, chain& x) {
    return f.object(x).fields(f.field("next", x.next_));
  }

private:
  std::unique_ptr<chain> next_;
};

/// Says itself how it is sent; has no default constructor.
class even {
public:
  explicit even(int number) : number_(number) {
  }

  void save(troupe::codec::encoder& to) const {
    to.save(number_);
  }

  static even load(troupe::codec::decoder& from) {
    const auto number = from.load<int>();
    if (number % 2 != 0)
      from.refuse("even", "the number is odd");
    return even{number};
  }

  bool operator==(const even&) const = default;

private:
  int number_;
};

/// Has an even number, hence no default constructor either.
struct pair_of_shoes {
  even count{2};
  std::string colour;
  bool operator==(const pair_of_shoes&) const = default;
};

struct socks {
  std::string colour;
  even count;
  bool operator==(const socks&) const = default;
};

/// Somebody else's class.
class celsius {
public:
  explicit celsius(double degrees) : degrees_(degrees) {
  }
  [[nodiscard]] double degrees() const {
    return degrees_;
  }
  bool operator==(const celsius&) const = default;

private:
  double degrees_;
};

/// Members that nobody may change.
struct row {
  const int id;
  const std::string name;
  double worth;
  bool operator==(const row&) const = default;
};

/// A category of the user's own.
class dice_category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override {
    return "samples.dice";
  }
  [[nodiscard]] std::string message(int value) const override {
    return "the dice show " + std::to_string(value);
  }
};

inline const std::error_category& dice() {
  static const dice_category category;
  return category;
}
inline const troupe::codec::sendable_category dice_entry{dice()};

/// Whether two values are the same, also where the type does not compare so.
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
template <class T>
bool same(const std::valarray<T>& a, const std::valarray<T>& b) {
  return std::equal(std::begin(a), std::end(a), std::begin(b), std::end(b));
}
template <class T, class C, class Less>
bool same(std::priority_queue<T, C, Less> a,
          std::priority_queue<T, C, Less> b) {
  for (; !a.empty() && !b.empty(); a.pop(), b.pop())
    if (a.top() != b.top())
      return false;
  return a.empty() && b.empty();
}
template <class Duration>
bool same(std::chrono::hh_mm_ss<Duration> a,
          std::chrono::hh_mm_ss<Duration> b) {
  return a.to_duration() == b.to_duration()
         && a.is_negative() == b.is_negative();
}

} // namespace samples

template <>
struct troupe::codec::coding<samples::celsius> {
  static void save(encoder& to, const samples::celsius& value) {
    to.save(value.degrees());
  }
  static samples::celsius load(decoder& from) {
    return samples::celsius{from.load<double>()};
  }
};

namespace samples {

/// Calls `visit` with a value of each type of a calendar.
template <class Visit>
void visit_dates(Visit& visit) {
  using namespace std::chrono;
  visit(day{31});
  visit(month{2});
  visit(year{-44});
  visit(weekday{6});
  visit(Monday[2]);
  visit(Monday[last]);
  visit(March / 15);
  visit(February / last);
  visit(May / Monday[1]);
  visit(May / Monday[last]);
  visit(year{2024} / March);
  visit(year{2024} / March / 15);
  visit(year{2023} / February / 30); // no such day, and a value all the same
  visit(year{2024} / February / last);
  visit(year{2024} / May / Monday[1]);
  visit(year{2024} / May / Monday[last]);
  visit(sys_days{year{2024} / March / 15});
  visit(local_days{year{2024} / March / 15});
  visit(hh_mm_ss{milliseconds{-3'723'004}});
  visit(hh_mm_ss{hours{30}});
  visit(hh_mm_ss{duration<double>{0.25}});
  visit(std::vector<year_month_day>{year{2024} / March / 15});
}

/// Calls `visit` with numbers and strings.
template <class Visit>
void visit_plain(Visit& visit) {
  using namespace std::string_literals;
  visit(0);
  visit(std::numeric_limits<std::uint64_t>::max());
  visit('c');
  visit(char16_t{0x20AC});
  visit(-0.5F);
  visit(1.25L);
  visit(true);
  visit(std::byte{0xAB});
  visit(weekday::sunday);
  visit(large);
  visit(yes_or_no::yes);
  visit(""s);
  visit("with a \0 inside"s);
  visit(std::u8string{u8"grüße"});
  visit(std::u16string{u"x€"});
  visit(std::u32string{U"x"});
  visit(std::wstring{L"wide"});
}

/// Calls `visit` with values of the standard library's containers.
template <class Visit>
void visit_containers(Visit& visit) {
  visit(std::vector<int>{});
  visit(std::vector<double>{1, 2, 3});
  visit(std::vector<bool>{true, false, true});
  visit(std::vector<std::string>{"one", "", "three"});
  visit(std::vector<empty>(3));
  visit(std::vector<std::monostate>(3));
  visit(std::vector<std::vector<std::uint8_t>>{{1, 2}, {}, {3}});
  visit(std::deque<int>{1, 2, 3});
  visit(std::list<std::string>{"a", "b"});
  visit(std::array<int, 3>{1, 2, 3});
  visit(std::array<std::string, 2>{"a", "b"});
  visit(std::array<int, 0>{});
  visit(std::array<even, 2>{even{2}, even{4}});
  visit(std::set<int>{3, 1, 2});
  visit(std::multiset<int>{1, 1, 2});
  visit(std::map<std::string, int>{{"a", 1}, {"b", 2}});
  visit(std::map<int, int, std::greater<>>{{1, 1}, {2, 2}});
  visit(std::multimap<int, std::string>{{1, "a"}, {1, "b"}});
  visit(std::unordered_set<std::string>{"x", "y"});
  visit(std::unordered_multiset<int>{1, 1, 2});
  visit(std::unordered_map<int, std::vector<int>>{{1, {1}}, {2, {}}});
  visit(std::unordered_multimap<int, int>{{1, 1}, {1, 2}});
}

/// Calls `visit` with values of the standard library's other types.
template <class Visit>
void visit_standard(Visit& visit) {
  visit(std::optional<int>{});
  visit(std::optional<std::string>{"here"});
  visit(std::variant<int, std::string>{"second"});
  visit(std::variant<std::monostate, bool, person>{true});
  visit(std::tuple<>{});
  visit(std::tuple<int, std::string, bool>{1, "a", true});
  visit(std::pair<std::string, double>{"pi", 3.14});
  visit(std::chrono::milliseconds{1500});
  visit(std::chrono::duration<double>{0.5});
  visit(std::chrono::steady_clock::time_point{std::chrono::seconds{5}});
  visit(std::chrono::system_clock::now());
  visit(std::complex<double>{1, -1});
  visit(std::filesystem::path{"/some/where"});
  visit(std::pair<const std::string, int>{"key", 1});
  visit(std::tuple<const int, const std::string>{1, "a"});
  visit(std::vector<std::map<int, int>::value_type>{{1, 2}, {3, 4}});
  visit(std::array<std::pair<const int, int>, 2>{{{1, 2}, {3, 4}}});
  visit(std::optional<const int>{1});
  visit(std::bitset<0>{});
  visit(std::bitset<1>{1});
  visit(std::bitset<64>{0x8000'0000'0000'0001U});
  visit(std::bitset<67>{0xDEADBEEFU});
  visit(std::forward_list<int>{});
  visit(std::forward_list<std::string>{"a", "", "b"});
  visit(std::forward_list<empty>{{}, {}});
  visit(std::valarray<double>{});
  visit(std::valarray<double>{1.5, -2});
  visit(std::valarray<bool>{true, false, true});
  visit(std::valarray<std::string>{"a", "b"});
  visit(std::queue<int>{{1, 2, 3}});
  visit(std::queue<std::string, std::list<std::string>>{{"a", "b"}});
  visit(std::stack<int, std::vector<int>>{{1, 2, 3}});
  visit(std::priority_queue<int>{std::less<int>{}, {3, 1, 2}});
  visit(std::priority_queue<int, std::vector<int>, std::greater<>>{
    std::greater<>{}, {3, 1, 2}});
  visit(std::error_code{});
  visit(std::make_error_code(std::errc::timed_out));
  visit(std::error_code{5, std::system_category()});
  visit(std::make_error_code(std::io_errc::stream));
  visit(std::make_error_code(std::future_errc::no_state));
  visit(std::error_code{6, dice()});
  visit(std::make_error_condition(std::errc::no_such_file_or_directory));
}

/// Calls `visit` with values of classes of one's own.
template <class Visit>
void visit_classes(Visit& visit) {
  visit(empty{});
  visit(row{1, "first", 2.5});
  visit(std::vector<row>{{1, "a", 0}, {2, "b", 0}});
  visit(point{1, 2.5});
  visit(mixed{"name",
              {true, false, true},
              weekday::monday,
              {{{1, 1}, {2, 2}}, {{3, 3}, {4, 4}}},
              {7, 8, 9}});
  visit(bits{5, true, -7});
  visit(person{"Ada", 36, {"ada@example.org"}});
  visit(std::vector<person>{{"A", 1, {}}, {"B", {}, {"b", "c"}}});
  visit(tree{1, {{2, {}}, {3, {{4, {}}}}}});
  visit(sixteen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "16"});
  visit(account{"me", 100, {{1, 2}, {3, 4}}});
  visit(std::map<std::string, account>{{"k", {"me", 1, {}}}});
  visit(chain{5});
  visit(even{4});
  visit(std::vector<even>{even{2}, even{4}});
  visit(pair_of_shoes{even{2}, "red"});
  visit(socks{"red", even{4}});
  visit(celsius{36.6});
}

/// Calls `visit` with one value after the other.
template <class Visit>
void visit_all(Visit visit) {
  visit_plain(visit);
  visit_containers(visit);
  visit_standard(visit);
  visit_dates(visit);
  visit_classes(visit);
}

} // namespace samples
