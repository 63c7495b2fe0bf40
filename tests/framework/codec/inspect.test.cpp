// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace codec = troupe::codec;

namespace {

/// Everything that an inspect function may do.
class thermometer {
public:
  [[nodiscard]] double celsius() const {
    return celsius_;
  }

  bool set_celsius(double value) {
    if (value < -273.15)
      return false;
    celsius_ = value;
    return true;
  }

  std::string place;
  std::optional<int> calibrated;
  int loads = 0;
  int saves = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, thermometer& x) {
    return f.object(x)
      .pretty_name("thermometer")
      .on_load([&x] { return ++x.loads == 1; })
      .on_save([&x] { return ++x.saves > 0; })
      .fields(f.field("place", x.place).fallback("home"),
              f.field(
                "celsius", [&x] { return x.celsius(); },
                [&x](double value) { return x.set_celsius(value); }),
              f.field(
                 "fahrenheit", [&x] { return x.celsius() * 1.8 + 32; },
                 [](double) {})
                .invariant([](double value) { return value < 1e6; }),
              f.field(
                "calibrated", [&x] { return x.calibrated.has_value(); },
                [&x] { return *x.calibrated; }, [&x] { x.calibrated.reset(); },
                [&x](int year) {
                  x.calibrated = year;
                  return true;
                }));
  }

  double celsius_ = 0;
};

enum class shade { dark = 1, light = 2 };

/// As `caf::default_enum_inspect` does it.
template <class Inspector>
bool inspect(Inspector& f, shade& x) {
  static_assert(!Inspector::has_human_readable_format());
  const auto get = [&x] { return static_cast<int>(x); };
  const auto set = [&x](int value) {
    x = static_cast<shade>(value);
    return value == 1 || value == 2;
  };
  return f.apply(get, set);
}

/// Asks which way it goes.
struct metres {
  double value = 0;
};

template <class Inspector>
bool inspect(Inspector& f, metres& x) {
  if constexpr (Inspector::is_loading) {
    return f.apply(x.value);
  } else {
    return f.apply(x.value);
  }
}

/// An error as CAF's: true means that there is one.
struct callback_error {
  explicit operator bool() const {
    return failed;
  }
  bool failed;
};

struct moody {
  bool mood = true;
};

template <class Inspector>
bool inspect(Inspector& f, moody& x) {
  return f.object(x)
    .on_load([&x] { return callback_error{!x.mood}; })
    .fields(f.field("mood", x.mood));
}

struct refuses {
  int value = 0;
};

template <class Inspector>
bool inspect(Inspector& f, refuses& x) {
  f.emplace_error(1, "no");
  return f.object(x).fields(f.field("value", x.value)) && false;
}

} // namespace

TEST_CASE("an inspect function may use the whole protocol") {
  thermometer original;
  original.place = "roof";
  original.set_celsius(21.5);
  original.calibrated = 2024;
  const auto message = codec::encode(original);
  const auto copy = codec::decode<thermometer>(message.body());
  CHECK(copy.place == "roof");
  CHECK(copy.celsius() == 21.5);
  CHECK(copy.calibrated == 2024);
  CHECK(original.saves == 1);
  CHECK(original.loads == 0);
  CHECK(copy.loads == 1);
}

TEST_CASE("what equals a fallback arrives too") {
  thermometer original;
  original.place = "home";
  const auto message = codec::encode(original);
  const auto copy = codec::decode<thermometer>(message.body());
  CHECK(copy.place == "home");
  CHECK_FALSE(copy.calibrated.has_value());
}

TEST_CASE("setters, invariants and callbacks refuse") {
  thermometer cold;
  cold.celsius_ = -300;
  CHECK_THROWS_AS(static_cast<void>(
                    codec::decode<thermometer>(codec::encode(cold))),
                  troupe::malformed_bytes);
  thermometer hot;
  hot.celsius_ = 1e9;
  CHECK_THROWS_WITH_AS(
    static_cast<void>(codec::decode<thermometer>(codec::encode(hot))),
    doctest::Contains("field fahrenheit"), troupe::malformed_bytes);
  CHECK(codec::decode<moody>(codec::encode(moody{true})).mood);
  CHECK_THROWS_AS(static_cast<void>(
                    codec::decode<moody>(codec::encode(moody{false}))),
                  troupe::malformed_bytes);
}

TEST_CASE("an inspect function on an enumeration decides what exists") {
  CHECK(codec::decode<shade>(codec::encode(shade::light)) == shade::light);
  CHECK_THROWS_AS(static_cast<void>(
                    codec::decode<shade>(codec::encode(shade{3}))),
                  troupe::malformed_bytes);
  CHECK_FALSE(codec::flat<shade>);
}

TEST_CASE("an inspect function may apply to the only member") {
  CHECK(codec::decode<metres>(codec::encode(metres{1.5})).value == 1.5);
}

TEST_CASE("an inspect function that refuses is heard by who sends") {
  CHECK_THROWS_AS(static_cast<void>(codec::encode(refuses{})),
                  troupe::invalid_argument);
}
