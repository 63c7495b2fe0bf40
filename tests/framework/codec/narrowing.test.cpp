// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/narrowing.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using troupe::codec::argument_as;
using troupe::codec::argument_keeps_value;
using troupe::codec::keeps_value;

namespace {

struct metres {
  metres(long number); // NOLINT(google-explicit-constructor)
};

struct marker {
  marker(unsigned number); // NOLINT(google-explicit-constructor)
};

struct label {
  label(const char* text); // NOLINT(google-explicit-constructor)
};

struct reading {
  operator double() const; // NOLINT(google-explicit-constructor)
};

struct counter {
  operator int() const; // NOLINT(google-explicit-constructor)
};

enum colour : unsigned char { red };

} // namespace

TEST_CASE("a number keeps its value in a type that has all its values") {
  CHECK(keeps_value<int, long>);
  CHECK(keeps_value<const short&, int>);
  CHECK(keeps_value<unsigned, long>);
  CHECK(keeps_value<bool, int>);
  CHECK(keeps_value<char, int>);
  CHECK(keeps_value<int, double>);
  CHECK(keeps_value<float, double>);
  CHECK(keeps_value<double, long double>);
  CHECK(keeps_value<colour, int>);
}

TEST_CASE("a conversion narrows where the type lacks a value") {
  CHECK(!keeps_value<double, long>);
  CHECK(!keeps_value<float, int>);
  CHECK(!keeps_value<double, float>);
  CHECK(!keeps_value<long, int>);
  CHECK(!keeps_value<int, unsigned>);
  CHECK(!keeps_value<int, std::size_t>);
  CHECK(!keeps_value<unsigned, int>);
  CHECK(!keeps_value<long, double>);
  CHECK(!keeps_value<int, float>);
  CHECK(!keeps_value<int, char>);
  CHECK(!keeps_value<colour, signed char>);
}

TEST_CASE("nothing but a bool is a bool") {
  CHECK(keeps_value<bool, bool>);
  CHECK(!keeps_value<int, bool>);
  CHECK(!keeps_value<double, bool>);
  CHECK(!keeps_value<const char*, bool>);
  CHECK(!keeps_value<const char(&)[5], bool>);
}

TEST_CASE("what a pair, a tuple or an optional holds is looked at") {
  CHECK(keeps_value<std::pair<int, float>, std::pair<long, double>>);
  CHECK(!keeps_value<std::pair<int, double>, std::pair<long, long>>);
  CHECK(!keeps_value<std::pair<int, double>, std::tuple<long, long>>);
  CHECK(keeps_value<std::tuple<int>&, std::tuple<long>>);
  CHECK(!keeps_value<const std::tuple<double>&, std::tuple<long>>);
  CHECK(keeps_value<int, std::optional<long>>);
  CHECK(!keeps_value<double, std::optional<long>>);
  CHECK(!keeps_value<std::optional<double>, std::optional<long>>);
  CHECK(keeps_value<std::nullopt_t, std::optional<long>>);
}

TEST_CASE("a number on its way through a constructor is looked at") {
  CHECK(keeps_value<int, metres>);
  CHECK(!keeps_value<double, metres>);
  CHECK(!keeps_value<unsigned long, metres>);
  CHECK(keeps_value<int, std::complex<double>>);
  CHECK(!keeps_value<long, std::complex<double>>);
}

TEST_CASE("a number out of a conversion function is looked at") {
  CHECK(keeps_value<reading, double>);
  CHECK(!keeps_value<reading, long>);
  CHECK(!keeps_value<const reading&, float>);
  CHECK(keeps_value<counter, long>);
  CHECK(keeps_value<counter, double>);
  CHECK(!keeps_value<counter, short>);
  CHECK(!keeps_value<std::atomic<double>&, long>);
  CHECK(!keeps_value<std::reference_wrapper<double>, long>);
  CHECK(keeps_value<std::vector<bool>::reference, bool>);
  CHECK(keeps_value<std::integral_constant<int, 3>, unsigned>);
}

TEST_CASE("other conversions are left alone") {
  CHECK(keeps_value<const char(&)[5], std::string>);
  CHECK(keeps_value<const char*, label>);
  CHECK(keeps_value<std::chrono::seconds, std::chrono::milliseconds>);
  CHECK(keeps_value<double, std::variant<std::string, double>>);
  CHECK(keeps_value<std::vector<int>, std::vector<int>>);
}

TEST_CASE("a temporary int, as a literal is, converts to every number") {
  CHECK(argument_keeps_value<int, std::size_t>);
  CHECK(argument_keeps_value<int, unsigned char>);
  CHECK(argument_keeps_value<int, float>);
  CHECK(argument_keeps_value<int, std::optional<unsigned>>);
  CHECK(argument_keeps_value<int, marker>);
  CHECK(!argument_keeps_value<int&, std::size_t>);
  CHECK(!argument_keeps_value<const int&, std::size_t>);
  CHECK(!argument_keeps_value<long, int>);
  CHECK(!argument_keeps_value<double, long>);
}

TEST_CASE("its value is checked") {
  CHECK(argument_as<std::uint64_t>(3) == 3);
  CHECK(argument_as<unsigned char>(255) == 255);
  CHECK(argument_as<signed char>(-128) == -128);
  CHECK(argument_as<bool>(1));
  CHECK(argument_as<float>(1 << 24) == 16777216.0F);
  CHECK(argument_as<std::optional<unsigned>>(7) == 7U);
  CHECK_THROWS_AS(argument_as<unsigned char>(256), troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<signed char>(-129), troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<std::uint64_t>(-1), troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<bool>(2), troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<float>((1 << 24) + 1), troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<float>(std::numeric_limits<int>::max()),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(argument_as<std::optional<unsigned>>(-1),
                  troupe::invalid_argument);
  CHECK_THROWS_WITH(argument_as<unsigned>(-1),
                    "convert the argument -1 to unsigned int: that type has no "
                    "such value");
}
