// SPDX-License-Identifier: BSL-1.0
#include "samples.hpp"

#include <doctest/doctest.h>

#include <any>
#include <functional>
#include <iostream>
#include <mutex>
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
                with_reference, with_lock, derived, without_default>);
static_assert(
  none_sendable<std::vector<int*>, std::map<int, with_pointer>,
                std::optional<std::string_view>, std::variant<int, void*>,
                std::tuple<int, int&>, std::unique_ptr<virtual_base>,
                std::unique_ptr<int[]>>);
// A rule that is a value would arrive as another one.
static_assert(none_sendable<std::set<int, bool (*)(int, int)>>);
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
              && !flat<samples::celsius> && !flat<samples::even>);

} // namespace

TEST_CASE("names of types can be read") {
  CHECK(type_name<int>() == "int");
  CHECK(type_name<samples::point>() == "samples::point");
  CHECK(type_name<std::vector<int>>().find("vector<int>")
        != std::string_view::npos);
}
