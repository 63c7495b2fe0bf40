// SPDX-License-Identifier: BSL-1.0
#include "samples.hpp"

#include <doctest/doctest.h>

#include <any>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <mutex>
#include <ratio>
#include <span>
#include <thread>

using namespace troupe::codec;

namespace {

struct with_pointer {
  int number;
  const char* text;
};

struct with_view {
  std::vector<std::string_view> views;
};

struct with_function {
  int before;
  std::function<void()> function;
  int after;
};

struct with_any {
  std::any content;
};

struct with_reference {
  int& number;
};

struct with_constant_reference {
  int before;
  const int& number;
};

struct with_constant_array {
  const int numbers[3];
};

struct with_lock {
  std::mutex lock;
  int number;
};

struct base {
  int number;
};

struct derived : base {
  int other;
};

struct without_default {
  explicit without_default(int);
};

struct virtual_base {
  virtual ~virtual_base() = default;
};

struct large_array {
  char text[3000];
  int rows[4][5];
  std::string names[2];
};

enum open_enumeration { red, green };

union either {
  int number;
  void* pointer;
};

template <class... Ts>
constexpr bool none_sendable = !(sendable<Ts> || ...);

// What has no meaning elsewhere cannot be sent, alone or inside.
static_assert(none_sendable<int*, const char*, void*, std::nullptr_t, int&,
                            const int&, void (*)(), int base::*>);
static_assert(none_sendable<std::string_view, std::span<int>,
                            std::reference_wrapper<int>, std::shared_ptr<int>>);
static_assert(none_sendable<std::function<void()>, std::mutex, std::thread,
                            std::ostream, std::any, either, open_enumeration>);
static_assert(
  none_sendable<with_pointer, with_view, with_function, with_any,
                with_reference, with_constant_reference, with_constant_array,
                with_lock, derived, without_default>);
static_assert(
  none_sendable<std::vector<int*>, std::map<int, with_pointer>,
                std::optional<std::string_view>, std::variant<int, void*>,
                std::tuple<int, int&>, std::unique_ptr<virtual_base>,
                std::unique_ptr<int[]>>);
// A rule that is a value would arrive as another one.
static_assert(none_sendable<
              std::set<int, bool (*)(int, int)>,
              std::priority_queue<int, std::vector<int>, bool (*)(int, int)>>);
// Its parts of a second would be cut off.
static_assert(
  none_sendable<
    std::chrono::hh_mm_ss<std::chrono::duration<int, std::ratio<1, 3>>>>);
static_assert(none_sendable<const int, void, int[]>);

static_assert(sendable<large_array>);
static_assert(members::count<large_array> == 3);
static_assert(members::count<with_function> == 3);
static_assert(members::count<samples::mixed> == 5);
static_assert(members::count<samples::sixteen> == 16);
static_assert(members::count<samples::empty> == 0);
static_assert(members::count<derived> == members::unknown);

// Flat is what any bytes are a value of.
static_assert(flat<int> && flat<double> && flat<std::byte>
              && flat<samples::weekday> && flat<samples::old_style>
              && flat<base> && flat<std::array<base, 3>>
              && flat<std::complex<float>> && flat<std::chrono::seconds>
              && flat<std::chrono::steady_clock::time_point>);
static_assert(!flat<bool> && !flat<samples::yes_or_no> && !flat<samples::bits>
              && !flat<samples::mixed> && !flat<std::optional<int>>
              && !flat<std::array<bool, 2>> && !flat<samples::point>
              && !flat<std::string> && !flat<with_pointer> && !flat<int*>
              && !flat<samples::celsius> && !flat<samples::even>
              && !flat<samples::row> && !flat<std::pair<const int, int>>);

/// Things that a user's class may have, without being the standard's.
struct looks_like_bits {
  void set(int, bool);
  bool test(int);
  unsigned long long to_ullong();
  int number;
};
static_assert(!bit_set<looks_like_bits> && sendable<looks_like_bits>);

// The reason that an error gives is the one that applies.
template <flaw Why, class... Ts>
constexpr bool because = ((flaw_of<Ts>() == Why) && ...);

struct empty_base {};
struct tagged : empty_base {
  int number;
};
struct many {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y;
};
class hidden {
public:
  [[nodiscard]] int number() const;

private:
  int number_ = 0;
};
struct polymorphic {
  virtual void speak();
};

static_assert(because<flaw::pointer, int*, std::nullptr_t>);
static_assert(because<flaw::function, void (*)(), int base::*>);
static_assert(because<flaw::reference, int&, std::reference_wrapper<int>>);
static_assert(because<flaw::constant, const int, volatile long>);
static_assert(because<flaw::array, int[]>);
static_assert(because<flaw::enumeration, open_enumeration>);
static_assert(because<flaw::united, either>);
static_assert(because<flaw::view, std::string_view, std::span<int>,
                      std::initializer_list<int>>);
static_assert(
  because<flaw::shared_pointer, std::shared_ptr<int>, std::weak_ptr<int>>);
static_assert(because<flaw::unique_pointer, std::unique_ptr<int[]>,
                      std::unique_ptr<virtual_base>>);
static_assert(because<flaw::rule, std::set<int, bool (*)(int, int)>>);
static_assert(because<flaw::erased_function, std::function<void()>>);
static_assert(because<flaw::erased_value, std::any>);
static_assert(because<flaw::atomic, std::atomic<int>, std::atomic_flag>);
static_assert(because<flaw::lock, std::mutex, std::condition_variable>);
static_assert(
  because<flaw::thread, std::thread, std::future<int>, std::promise<int>>);
static_assert(because<flaw::stream, std::ostream>);
static_assert(because<flaw::iterator, std::vector<int>::iterator,
                      std::map<int, int>::iterator>);
static_assert(because<flaw::base_class, derived, tagged>);
static_assert(because<flaw::too_many_members, many>);
static_assert(because<flaw::odd_members, with_reference,
                      with_constant_reference, with_constant_array>);
static_assert(because<flaw::callable, decltype([n = 1] { return n; })>);
static_assert(because<flaw::virtual_functions, polymorphic>);
static_assert(because<flaw::closed_class, hidden, without_default>);

} // namespace

TEST_CASE("names of types can be read") {
  CHECK(type_name<int>() == "int");
  CHECK(type_name<samples::point>() == "samples::point");
  CHECK(type_name<std::vector<int>>().find("vector<int>")
        != std::string_view::npos);
}
