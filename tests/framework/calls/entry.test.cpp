// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/base/hash.hpp>
#include <troupe/calls/entry.hpp>

#include <doctest/doctest.h>

namespace calls = troupe::calls;

namespace {

int add_one(int number) {
  return number + 1;
}

int add_two(int number) {
  return number + 2;
}

int add_three(int number) {
  return number + 3;
}

/// A kind of which some have names.
class adder : public calls::entry_of_kind<int(int)> {
public:
  using entry_of_kind::entry_of_kind;

  [[nodiscard]] static found_by_name find(const char* name) {
    return named(typeid(int(int)), troupe::hash_of(name));
  }
};

using of_another_kind = calls::entry_of_kind<long(int)>;

const adder one{&add_one};
const adder two{&add_two, "two"};
const adder shared_name[] = {adder{&add_one, "some"},
                             adder{&add_three, "some"}};
const adder same_code[] = {adder{&add_three, "three"},
                           adder{&add_three, "three"}};

} // namespace

TEST_CASE("a function is found by the place of its code, and runs") {
  CHECK(&adder::at(one.location(), "add") == &one);
  CHECK(adder::at(one.location(), "add")(1) == 2);
}

TEST_CASE("a place where no function begins is refused with what is missing") {
  auto beside = one.location();
  ++beside.offset;
  CHECK_THROWS_WITH_AS(static_cast<void>(adder::at(beside, "add")),
                       doctest::Contains("no function for other processes"),
                       troupe::unknown_function);
  CHECK_THROWS_AS(static_cast<void>(adder::at({1ULL << 50, 0}, "add")),
                  troupe::unknown_function);
}

TEST_CASE("a function of one kind is not found as another") {
  CHECK_THROWS_AS(static_cast<void>(of_another_kind::at(one.location(), "add")),
                  troupe::unknown_function);
}

TEST_CASE("a function that has a name is found by it, and runs") {
  const auto found = adder::find("two");
  REQUIRE(found.only == &two);
  CHECK_FALSE(found.several);
  CHECK(two(1) == 3);
  CHECK(two.id() == troupe::hash_of("two"));
}

TEST_CASE("a name that nothing has is not found") {
  CHECK(adder::find("four").only == nullptr);
  CHECK_FALSE(adder::find("four").several);
  CHECK(one.id() == 0);
}

TEST_CASE("a name that two functions have is neither's") {
  CHECK(adder::find("some").only == nullptr);
  CHECK(adder::find("some").several);
}

TEST_CASE("the same function may enter itself twice, as from two libraries") {
  CHECK(adder::find("three").only != nullptr);
  CHECK_FALSE(adder::find("three").several);
}
