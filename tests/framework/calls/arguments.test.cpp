// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/calls/arguments.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <tuple>

namespace calls = troupe::calls;

namespace {

std::string repeat(const std::string& text, std::uint8_t times) {
  std::string result;
  for (unsigned i = 0; i < times; ++i)
    result += text;
  return result;
}

struct account {
  int deposit(int amount) {
    return cents += amount;
  }
  int cents = 0;
};

template <auto F, class... Args>
auto there_and_run(const Args&... args) {
  using function = calls::named<F>;
  using signature = typename function::signature;
  const auto message = calls::pack_arguments<signature>(args...);
  calls::arguments given{message.body()};
  return calls::run<function>(given.take<signature>());
}

} // namespace

TEST_CASE("arguments travel as the parameters, and the function runs on them") {
  CHECK(there_and_run<&repeat>("ab", std::uint8_t{3}) == "ababab");
  CHECK(there_and_run<&account::deposit>(account{10}, 5) == 15);
}

TEST_CASE("arguments that are kept are those that would travel") {
  using signature = calls::named<&repeat>::signature;
  const auto kept = calls::keep_arguments<signature>("ab", std::uint8_t{2});
  CHECK(kept == std::tuple<std::string, std::uint8_t>{"ab", 2});
}

TEST_CASE("a literal that the parameter cannot hold is refused by who calls") {
  using signature = calls::named<&repeat>::signature;
  CHECK_THROWS_AS(static_cast<void>(calls::pack_arguments<signature>("", 256)),
                  troupe::invalid_argument);
}

TEST_CASE("a message with too many arguments is malformed") {
  using signature = calls::named<&repeat>::signature;
  auto message = calls::pack_arguments<signature>("ab", std::uint8_t{3});
  troupe::codec::encode_into(message, 1);
  CHECK_THROWS_AS(static_cast<void>(
                    calls::arguments{message.body()}.take<signature>()),
                  troupe::malformed_bytes);
}

TEST_CASE("what the place gives stands before the arguments") {
  account held{1};
  CHECK(calls::run<calls::named<&account::deposit>>(std::tuple{4}, held) == 5);
  CHECK(held.cents == 5);
}
