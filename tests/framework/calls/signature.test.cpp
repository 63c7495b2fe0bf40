// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/signature.hpp>

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <type_traits>

namespace calls = troupe::calls;

// Known by their types alone: nobody calls them.
namespace signature_samples {
long add(int, const std::string&);
void change(int&) noexcept;
void print(const char*, ...);
} // namespace signature_samples

using namespace signature_samples;

namespace {

struct account {
  int deposit(int) {
    return 0;
  }
  [[nodiscard]] long balance(const std::string&) const noexcept {
    return 0;
  }
  void close() && {
  }
  int cents = 0;
};

template <class F>
using parameters = typename calls::signature<F>::parameters;
template <class F>
using result = typename calls::signature<F>::result;

} // namespace

TEST_CASE("a function has the parameters that arrive as copies, and a result") {
  using f = decltype(&add);
  CHECK(std::is_same_v<parameters<f>, std::tuple<int, std::string>>);
  CHECK(std::is_same_v<result<f>, long>);
  CHECK(calls::signature<f>::arity == 2);
  CHECK_FALSE(calls::signature<f>::changes_arguments);
}

TEST_CASE("a parameter that is a non-const reference changes its argument") {
  CHECK(calls::signature<decltype(&change)>::changes_arguments);
}

TEST_CASE("a member is a function whose first parameter is the object") {
  CHECK(std::is_same_v<parameters<decltype(&account::deposit)>,
                       std::tuple<account, int>>);
  CHECK(std::is_same_v<parameters<decltype(&account::balance)>,
                       std::tuple<account, std::string>>);
  CHECK(
    std::is_same_v<parameters<decltype(&account::close)>, std::tuple<account>>);
  CHECK(
    std::is_same_v<parameters<decltype(&account::cents)>, std::tuple<account>>);
  CHECK(std::is_same_v<result<decltype(&account::cents)>, int>);
  CHECK_FALSE(calls::signature<decltype(&account::deposit)>::changes_arguments);
}

TEST_CASE("a lambda has the signature of its operator") {
  const auto f = [](int, double) { return 'c'; };
  using type = std::remove_const_t<decltype(f)>;
  CHECK(std::is_same_v<parameters<type>, std::tuple<int, double>>);
  CHECK(std::is_same_v<result<type>, char>);
}

TEST_CASE("of parameters that are `auto` or `...` nothing is known") {
  const auto f = [](auto) {};
  CHECK_FALSE(calls::signature<std::remove_const_t<decltype(f)>>::known);
  CHECK_FALSE(calls::signature<decltype(&print)>::known);
  CHECK_FALSE(calls::signature<int>::known);
}

TEST_CASE("without its first parameter a function keeps the others") {
  using rest = calls::without_first<calls::signature<decltype(&add)>>;
  CHECK(std::is_same_v<rest::first, int>);
  CHECK(std::is_same_v<rest::parameters, std::tuple<std::string>>);
  using none = calls::without_first<calls::signature<int()>>;
  CHECK_FALSE(none::known);
  using whole = calls::with_first<account&, rest>;
  CHECK(std::is_same_v<whole::parameters, std::tuple<account, std::string>>);
}

TEST_CASE("a member says by its qualifiers how it takes the object") {
  const auto of = []<class F>(F) {
    using first = typename calls::without_first<calls::signature<F>>::first;
    return calls::object_parameter<first>{};
  };
  CHECK(of(&account::deposit).changes);
  CHECK(of(&account::deposit).usable);
  CHECK_FALSE(of(&account::balance).changes);
  CHECK_FALSE(of(&account::cents).changes);
  CHECK_FALSE(of(&account::close).usable);
  CHECK(of(+[](account&) {}).changes);
  CHECK_FALSE(of(+[](const account&) {}).changes);
  CHECK_FALSE(of(+[](account&&) {}).usable);
}
