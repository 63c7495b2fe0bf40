// SPDX-License-Identifier: BSL-1.0
#include "samples.hpp"

#include <troupe/base/copy.hpp>
#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>

namespace codec = troupe::codec;

TEST_CASE("every kind of value arrives as it was sent") {
  samples::visit_all([]<class T>(const T& value) {
    INFO(codec::type_name<T>());
    codec::require_sendable<T>();
    const auto message = codec::encode(value);
    CHECK(message.handles().empty());
    CHECK(message.body().size() >= codec::least_size<T>);
    CHECK(samples::same(codec::decode<T>(message.body()), value));
    if constexpr (codec::flat<T>)
      CHECK(message.body().size() == sizeof(T));
  });
}

TEST_CASE("arguments travel together") {
  const auto message = codec::encode_all(1, std::string{"two"},
                                         std::vector<int>{3});
  CHECK(codec::decode_all<int, std::string, std::vector<int>>(message.body())
        == std::tuple{1, std::string{"two"}, std::vector<int>{3}});
  codec::decoder from{message.body(), {}};
  CHECK(
    std::get<1>(
      codec::decode_all<std::tuple<int, std::string, std::vector<int>>>(from))
    == "two");
  CHECK(codec::encode_all().body().empty());
  CHECK(codec::decode_all<>(codec::encode_all().body()) == std::tuple<>{});
}

TEST_CASE("a unique_ptr arrives with its content") {
  const auto full = std::make_unique<std::string>("content");
  const auto message = codec::encode(full);
  const auto copy = codec::decode<std::unique_ptr<std::string>>(message.body());
  REQUIRE(copy != nullptr);
  CHECK(*copy == "content");
  const auto none = codec::encode(std::unique_ptr<std::string>{});
  CHECK(codec::decode<std::unique_ptr<std::string>>(none.body()) == nullptr);
}

namespace {

troupe::bytes put_together(const codec::packet& message) {
  troupe::bytes result(message.content().size());
  message.content().copy_to(result.data());
  return result;
}

/// Saves what lives no longer than its `save`.
struct fleeting {
  std::size_t size = 0;

  void save(codec::encoder& to) const {
    to.save(std::string(size, 'f'));
  }

  static fleeting load(codec::decoder& from) {
    return {from.load<std::string>().size()};
  }
};

} // namespace

TEST_CASE("what is lent reads as what is copied, once it is put together") {
  samples::visit_all([]<class T>(const T& value) {
    INFO(codec::type_name<T>());
    codec::packet lent;
    codec::lend_into(lent, value);
    const auto copied = codec::encode(value);
    CHECK(std::ranges::equal(put_together(lent), copied.body()));
  });
  const std::string text(100'000, 't');
  const std::tuple value{1, text, std::vector{text, text}, 2,
                         std::vector<int>(50'000, 3)};
  const auto copied = troupe::copied_bytes();
  codec::packet lent;
  codec::lend_into(lent, value);
  CHECK(troupe::copied_bytes() == copied);
  CHECK(lent.body().size() < 100);
  const auto whole = put_together(lent);
  CHECK(troupe::copied_bytes() == copied + 500'000);
  CHECK(codec::decode<std::remove_const_t<decltype(value)>>(whole) == value);
  lent.clear();
  CHECK(lent.empty());
}

TEST_CASE("what a type's own save makes is copied at once") {
  const std::vector<fleeting> value(3, fleeting{100'000});
  codec::packet message;
  codec::lend_into(message, value);
  CHECK(message.body().size() == message.content().size());
  const auto back = codec::decode<std::vector<fleeting>>(message.body());
  CHECK(back.size() == 3);
  CHECK(back[2].size == 100'000);
}

TEST_CASE("contiguous flat elements are copied in one piece") {
  const std::vector<double> numbers(1'000'000, 1.5);
  const auto message = codec::encode(numbers);
  CHECK(message.body().size() == 8 + numbers.size() * sizeof(double));
  CHECK(codec::decode<std::vector<double>>(message.body()) == numbers);
}

TEST_CASE("flat elements may stand at any address") {
  const std::vector<std::uint64_t> numbers{1, 2, 3};
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const auto message = codec::encode_all(std::string(shift, 'x'), numbers,
                                           std::u32string{U"a"});
    const auto values
      = codec::decode_all<std::string, std::vector<std::uint64_t>,
                          std::u32string>(message.body());
    CHECK(std::get<1>(values) == numbers);
    CHECK(std::get<2>(values) == U"a");
  }
}

TEST_CASE("a packet can be filled again and moved") {
  codec::packet first;
  codec::encode_into(first, 1, 2);
  first.clear();
  CHECK(first.empty());
  codec::encode_into(first, std::string{"again"});
  codec::packet second = std::move(first);
  CHECK(codec::decode<std::string>(std::move(second)) == "again");
}

TEST_CASE("what cannot be decoded is not encoded") {
  SUBCASE("too deep") {
    CHECK_NOTHROW(static_cast<void>(codec::encode(samples::chain{100})));
    CHECK_THROWS_AS(static_cast<void>(codec::encode(samples::chain{1000})),
                    troupe::invalid_argument);
  }
  SUBCASE("a variant without a value") {
    struct thrower {
      operator int() const {
        throw 1;
      }
    };
    std::variant<std::string, int> lost;
    CHECK_THROWS_AS(lost.emplace<1>(thrower{}), int);
    if (lost.valueless_by_exception())
      CHECK_THROWS_AS(static_cast<void>(codec::encode(lost)),
                      troupe::invalid_argument);
  }
}

TEST_CASE("an error code of a category that nobody knows is not encoded") {
  class unknown_category final : public std::error_category {
  public:
    explicit unknown_category(const char* name) : name_(name) {
    }
    [[nodiscard]] const char* name() const noexcept override {
      return name_;
    }
    [[nodiscard]] std::string message(int) const override {
      return "";
    }

  private:
    const char* name_;
  };
  const unknown_category unknown{"nobody knows"};
  CHECK_THROWS_WITH_AS(
    static_cast<void>(codec::encode(std::error_code{1, unknown})),
    doctest::Contains("its category \"nobody knows\" is not known"),
    troupe::invalid_argument);
  // Another's name does not make it that other.
  const unknown_category feigned{"generic"};
  CHECK_THROWS_AS(static_cast<void>(
                    codec::encode(std::error_condition{1, feigned})),
                  troupe::invalid_argument);
}

TEST_CASE("an error code compares equal to the condition that it was") {
  const auto message
    = codec::encode(std::error_code{ENOENT, std::system_category()});
  const auto code = codec::decode<std::error_code>(message.body());
  CHECK(code == std::errc::no_such_file_or_directory);
  CHECK(&code.category() == &std::system_category());
}

TEST_CASE("a category may be named twice, a name have one category only") {
  using codec::sendable_category;
  static const samples::dice_category second;
  CHECK(sendable_category::find("samples.dice") == &samples::dice());
  static const sendable_category again{samples::dice()};
  CHECK(sendable_category::find("samples.dice") == &samples::dice());
  static const sendable_category other{second};
  CHECK(sendable_category::find("samples.dice") == nullptr);
  CHECK_THROWS_AS(static_cast<void>(
                    codec::encode(std::error_code{1, samples::dice()})),
                  troupe::invalid_argument);
}

TEST_CASE("a unique_ptr to a constant arrives with its content") {
  const auto message = codec::encode(std::make_unique<const int>(7));
  const auto copy = codec::decode<std::unique_ptr<const int>>(message.body());
  REQUIRE(copy != nullptr);
  CHECK(*copy == 7);
}

namespace {

const int elsewhere = 1;

struct constant_reference {
  const int number;
  const int& other = elsewhere;
};

} // namespace

TEST_CASE("a constant reference beside constants is refused when it is sent") {
  if constexpr (codec::sendable<constant_reference>)
    CHECK_THROWS_AS(static_cast<void>(codec::encode(constant_reference{1})),
                    troupe::invalid_argument);
}
